//! A refusal that a guard notes on its request: no guard can answer by itself, and what a body left unread has to be
//! dropped behind the answer. So the request goes on to `fallback`, or to the catcher.

use rocket::Request;
use rocket::http::Status;

use super::fallback;
use super::request_id::Arrival;
use crate::error::ApiError;

/// Why a request is refused, and the route that it was meant for.
pub(super) struct Refused {
    error: ApiError,
    route: Option<String>,
}

/// Notes the refusal, unless there is one already, and tells its status.
pub(super) fn refuse(request: &Request<'_>, error: ApiError) -> Status {
    let noted = Arrival::of(request).refusal.get_or_init(|| Refused {
        error,
        route: request.route().map(|route| route.uri.to_string()),
    });
    noted.status()
}

/// The status of a request that is refused. Guards ask for it first: no other route acts on a refused request.
pub(super) fn status(arrival: &Arrival) -> Option<Status> {
    arrival.refusal.get().map(Refused::status)
}

/// What the client is told, if the request is refused.
pub(super) fn error(request: &Request<'_>) -> Option<ApiError> {
    let refusal = Arrival::of(request).refusal.get()?;
    Some(refusal.error.clone())
}

/// The template of the route that a request was meant for.
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
