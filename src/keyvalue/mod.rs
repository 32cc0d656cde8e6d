//! Values that clients store under their own keys.

mod keys;
mod model;
mod refusal;
mod routes;
mod store;

pub(crate) use routes::stage;
