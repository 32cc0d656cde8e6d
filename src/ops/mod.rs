//! What operators ask: is it well?

mod checks;
mod routes;

pub use routes::stage;
