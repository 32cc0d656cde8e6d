//! Messages, first in, first out.

mod routes;
mod store;

pub use routes::stage;
