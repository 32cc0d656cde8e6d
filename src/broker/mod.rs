//! Redis: one connection that every request shares, and the name of every key.

mod connect;
mod connection;
mod error;
mod exchange;
mod health;
mod keeper;
pub mod keys;
mod patience;
mod script;

pub use connection::{Broker, NotAnAddress};
pub use error::BrokerError;
pub use health::Trouble;
pub use patience::Patience;
pub use script::{Call, Script};
