//! HTTP vocabulary that the features share; knows none of them.

pub mod body;
pub mod catchers;
mod chunk;
mod error_body;
mod fallback;
pub mod json;
pub mod launch;
pub(crate) mod metrics;
pub mod query;
mod refusal;
mod request;
mod request_id;
mod request_log;
mod rewrite;
pub mod token;

use rocket::fairing::AdHoc;

pub use request_id::RequestId;

/// Applied to every request, whatever its feature.
#[must_use]
pub fn stage() -> AdHoc {
    AdHoc::on_ignite("HTTP", |rocket| async {
        rocket
            .attach(request::fairing())
            .mount("/", fallback::routes())
            .register("/", rocket::catchers![catchers::any])
    })
}
