//! Answers what Rocket refuses itself, and what a guard has refused whose body was read to its end.

use std::time::Duration;

use rocket::Request;
use rocket::http::Status;

use super::request::{Answered, UNROUTED};
use super::request_id::Arrival;
use super::{RequestId, refusal, request_log};
use crate::error::ApiError;

#[rocket::catch(default)]
pub(super) fn any(status: Status, request: &Request<'_>) -> ApiError {
    if !Arrival::of(request).is_noted {
        return unreadable(request);
    }
    if let Some(error) = refusal::error(request) {
        return error;
    }
    match status.code {
        401 => ApiError::Unauthorized,
        404 => ApiError::NotFound,
        400 | 422 => ApiError::BadRequest,
        500 => ApiError::Internal("a handler panicked".to_owned()),
        code => ApiError::Http {
            status: code,
            reason: status.reason_lossy(),
        },
    }
}

/// Rocket asks no fairing about a request whose method it does not know, or whose target has no path (the `host:port`
/// of a CONNECT, which it shows as `/`).
fn unreadable(request: &Request<'_>) -> ApiError {
    let error = match request.uri().path().as_str() {
        "/" => ApiError::BadRequest,
        _ => ApiError::UnknownMethod,
    };
    request_log::write(&Answered {
        id: RequestId::of(request),
        method: "unknown",
        route: UNROUTED,
        status: error.shape().status,
        took: Duration::ZERO,
        client: request.client_ip(),
    });
    error
}
