//! How an [`ApiError`] is answered: its status, and the contract's JSON object.

use rocket::Request;
use rocket::http::{Header, Status};
use rocket::response::{self, Responder, Response};
use serde::Serialize;

use super::RequestId;
use super::json::Json;
use crate::error::{ApiError, Shape};

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: String,
    code: &'static str,
    request_id: &'a str,
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let Shape {
            status,
            code,
            retry_after,
            reason,
        } = self.shape();
        let id = RequestId::of(request);
        let request_id = id.as_str();
        if let Some(reason) = reason {
            tracing::error!(request_id, code, reason, "the request failed");
        }
        let body = Json(ErrorBody {
            error: self.to_string(),
            code,
            request_id,
        });
        let mut response = Response::build_from(body.respond_to(request)?);
        response
            .status(Status::new(status))
            // Rocket runs no response fairing if it could not read the request line.
            .header(id);
        if let Some(seconds) = retry_after {
            response.header(Header::new("Retry-After", seconds.to_string()));
        }
        if matches!(self, Self::Unauthorized) {
            response.header(Header::new("WWW-Authenticate", "Bearer"));
        }
        if let Self::MethodNotAllowed { allow } = self {
            response.header(Header::new("Allow", allow));
        }
        response.ok()
    }
}
