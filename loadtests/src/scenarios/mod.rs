//! What users do, a file a scenario.

pub mod admin;
pub mod courier;
pub mod customer;
pub mod queue;
pub mod race;
