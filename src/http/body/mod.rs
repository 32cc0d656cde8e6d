//! Bodies of requests: read whole before a route acts, bounded each and all together.

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

/// The bytes that a request says its body has; `None` for a body in chunks, which tells its end when it is there.
fn declared(request: &Request<'_>) -> Option<u64> {
    request.headers().get_one("Content-Length")?.parse().ok()
}

/// Whether the client was gone before the first bytes of its body were there.
///
/// Rocket looks at them before anybody else, keeps the error to itself, and shows the end of the body after it.
fn is_cut_off(request: &Request<'_>) -> bool {
    Arrival::of(request).cut_off
}
