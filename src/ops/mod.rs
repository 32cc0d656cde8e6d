//! What operators ask: is it well?

mod checks;
pub mod logs;
mod metrics;
pub mod probe;
mod routes;
mod tail;

pub use routes::stage;
