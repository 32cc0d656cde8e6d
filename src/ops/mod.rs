//! What operators ask: is it well?

mod checks;
mod metrics;
mod routes;

pub use routes::stage;
