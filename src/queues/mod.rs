//! Queues whose messages stay until their receiver has acknowledged them.

mod batch;
mod delivery;
mod gauges;
mod keys;
pub(crate) mod metrics;
mod model;
mod parameters;
mod routes;
mod scripts;
mod store;
mod waiters;

pub use routes::stage;
