//! The operators' routes: health, metrics, logs.

mod checks;
pub mod logs;
pub(crate) mod metrics;
pub mod probe;
mod routes;
mod scrape;
mod tail;

pub use routes::stage;
