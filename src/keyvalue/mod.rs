//! Values that clients keep under keys of their own.

mod keys;
mod model;
mod routes;
mod store;

pub use routes::stage;
