//! Redis: one connection that every request shares, and the name of every key.

mod connect;
mod connection;
mod exchange;
mod failure;
mod health;
mod keeper;
pub mod keys;
mod patience;
mod script;

pub use connection::{Broker, NotAnAddress};
pub use failure::outcome_unknown;
pub use health::Trouble;
pub use patience::Patience;
pub use script::{Call, Script};
