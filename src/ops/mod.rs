//! What operators ask: is it well?

mod checks;
pub mod logs;
mod routes;
mod tail;

pub use routes::stage;
