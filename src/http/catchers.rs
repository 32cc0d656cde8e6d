//! Answers requests that Rocket itself refuses, and those that a guard refused after reading their body to its end.

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

/// Rocket calls no fairing for a request with an unknown method, or with a target without a path (the `host:port`
/// of a CONNECT, which appears as `/`).
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
