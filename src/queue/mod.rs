//! One plain queue of messages, first in, first out.

mod keys;
pub(crate) mod metrics;
mod routes;
mod store;
mod taken;

pub(crate) use routes::stage;
