//! When a request came in, for whoever tells how long it took.

use std::time::Instant;

use rocket::Request;

#[derive(Clone, Copy)]
struct Started(Instant);

/// The moment at which this was first asked for the request: fairings do at once.
pub(super) fn started(request: &Request<'_>) -> Instant {
    request.local_cache(|| Started(Instant::now())).0
}
