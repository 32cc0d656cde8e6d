//! One plain queue of messages, first in, first out.

mod depth;
mod keys;
mod routes;
mod store;
mod taken;

pub use routes::stage;
