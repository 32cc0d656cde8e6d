//! What operators ask: is it well?

mod checks;
pub mod logs;
pub(crate) mod metrics;
pub mod probe;
mod routes;
mod scrape;
mod tail;

pub use routes::stage;
