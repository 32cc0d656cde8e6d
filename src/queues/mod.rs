//! Queues whose messages stay until their receiver acknowledges them.

mod body;
mod delivery;
mod gauges;
mod keys;
pub(crate) mod metrics;
mod model;
mod refusal;
mod routes;
mod scripts;
mod store;
mod waiters;

pub(crate) use routes::stage;
