//! Redis: one connection that every request shares, and the name of every key.

mod connection;
mod error;
pub mod keys;

pub use connection::Broker;
pub use error::BrokerError;
