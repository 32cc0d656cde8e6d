//! The service as clients see it: the real binary and a real PostgreSQL, with one database per test.
//!
//! Needs `DATABASE_URL` of a role that may create databases, and `REDIS_URL`: `make test` starts private servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics has failed, as it should"
)]

mod db;
mod http;
mod keyvalue;
mod nginx;
mod ops;
mod orders;
mod queue;
mod queues;
#[path = "../raw/mod.rs"]
mod raw;
mod support;
