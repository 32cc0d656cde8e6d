//! A refusal that a guard records on its request. A guard cannot answer, and an unread body must be drained after the
//! answer, so the request goes on to `fallback`, or to the catcher.

use rocket::Request;
use rocket::http::Status;

use super::fallback;
use super::request_id::Arrival;
use crate::error::ApiError;

/// Why a request is refused, and its intended route.
pub(super) struct Refused {
    error: ApiError,
    route: Option<String>,
}

/// Records the refusal, unless there is one already, and returns its status.
pub(super) fn refuse(request: &Request<'_>, error: ApiError) -> Status {
    let noted = Arrival::of(request).refusal.get_or_init(|| Refused {
        error,
        route: request.route().map(|route| route.uri.to_string()),
    });
    noted.status()
}

/// The status of a refused request. Guards check it first: no other route acts on a refused request.
pub(super) fn status(arrival: &Arrival) -> Option<Status> {
    arrival.refusal.get().map(Refused::status)
}

/// The client's error, if the request is refused.
pub(super) fn error(request: &Request<'_>) -> Option<ApiError> {
    let refusal = Arrival::of(request).refusal.get()?;
    Some(refusal.error.clone())
}

/// The template of the intended route of a request.
pub(super) fn route<'r>(arrival: &'r Arrival, request: &'r Request<'_>) -> Option<&'r str> {
    match arrival.refusal.get() {
        Some(refusal) => refusal.route.as_deref(),
        None => request
            .route()
            .filter(|route| !fallback::is_it(route))
            .map(|route| route.uri.as_str()),
    }
}

impl Refused {
    fn status(&self) -> Status {
        Status::new(self.error.shape().status)
    }
}
