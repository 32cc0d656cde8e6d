//! The stack of docker-compose.yml as operators meet it: what is up, what faults do, what outlives them.
//!
//! Needs Docker: `make test-containers` gives it a stack of its own, and one test at a time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics has failed, as it should"
)]

mod backup;
mod checkout;
mod crowds;
mod edge;
mod engine;
mod faults;
mod health;
mod image;
mod ledger;
mod load;
mod monitoring;
mod postgres;
mod proxied;
#[path = "../raw/mod.rs"]
mod raw;
mod redis;
mod replicas;
mod restore;
mod settings;
mod stack;
mod upgrade;
mod user;
