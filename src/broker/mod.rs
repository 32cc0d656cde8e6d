//! Redis: one connection that every request shares, and the prefix of every key.

mod connect;
mod connection;
mod exchange;
mod failure;
mod health;
mod keeper;
mod keys;
pub(crate) mod metrics;
mod patience;
mod script;

pub use connection::{Broker, NotAnAddress};
pub use failure::outcome_unknown;
pub use health::Trouble;
pub use keys::Prefix;
pub use patience::Patience;
pub use script::{Call, Script};
