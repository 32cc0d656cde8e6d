//! Orders: placed with a road distance, taken by exactly one courier, listed page by page.

mod body;
pub mod distance;
pub(crate) mod metrics;
pub mod model;
mod parameters;
mod refusal;
mod routes;
pub mod store;

pub use routes::stage;
