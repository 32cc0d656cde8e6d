//! The scenarios, one file each.

pub mod admin;
pub mod courier;
pub mod customer;
pub mod queue;
pub mod race;
