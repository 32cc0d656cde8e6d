//! The stack of docker-compose.yml as operators use it: what runs, what faults do, and what persists.
//!
//! Needs Docker: `make test-containers` provides a separate stack, and runs one test at a time.

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
