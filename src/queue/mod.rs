//! One plain queue of messages, first in, first out.

mod keys;
pub(crate) mod metrics;
mod popped;
mod routes;
mod store;

pub(crate) use routes::stage;
