//! The harness: sets up what a test needs, and takes it down with it.

mod app;
mod client;
mod cluster;
mod database;
mod nginx;
mod osrm;
mod redis;

pub use app::{App, required};
pub use client::Answer;
pub use cluster::Cluster;
pub use database::Database;
pub use nginx::Nginx;
pub use osrm::osrm;
pub use redis::Redis;

/// How many at once make a race.
pub const RACERS: usize = 200;

/// What the service's clients are let in by.
pub const TOKEN: &str = "a-token-that-opens-tests-and-nothing-else";

/// A body that `POST /orders` accepts.
pub const TRIP: &str = r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;

/// The body that takes an order.
pub const TAKE: &str = r#"{"status": "TAKEN"}"#;
