//! Request bodies: read completely before a route acts, with limits for each and for all together.

mod budget;
mod drain;
mod none;
mod received;
mod schema;

use rocket::Request;

pub use none::NoBody;
pub use received::{JsonBody, LargeBody, Message};
pub use schema::{Body, Schema};

pub(super) use drain::answer;

use super::request_id::Arrival;

/// The declared length of a body; `None` for a chunked body, whose length shows at its end.
fn declared(request: &Request<'_>) -> Option<u64> {
    request.headers().get_one("Content-Length")?.parse().ok()
}

/// Whether the client disconnected before the first bytes of its body arrived.
///
/// Rocket peeks at them first, hides the error, and then reports the end of the body.
fn is_cut_off(request: &Request<'_>) -> bool {
    Arrival::of(request).cut_off
}
