//! Values that clients keep under keys of their own.

mod keys;
mod model;
mod refusal;
mod routes;
mod store;

pub(crate) use routes::stage;
