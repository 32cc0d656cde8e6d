//! The harness: sets up what a test needs, and tears it down with the test.

mod app;
mod client;
mod cluster;
mod database;
mod far;
mod nginx;
mod osrm;
mod proxy;
mod redis;
mod sentinels;
mod slow_disk;

pub use app::{App, required};
pub use client::{Answer, metric};
pub use cluster::Cluster;
pub use database::Database;
pub use far::Far;
pub use nginx::Nginx;
pub use osrm::{osrm, osrm_noting};
pub use proxy::{Proxy, Upstream};
pub use redis::Redis;
pub use sentinels::Sentinels;
pub use slow_disk::SlowDisk;

/// The number of couriers in a race.
pub const RACERS: usize = 200;

/// The token of the service's clients.
pub const TOKEN: &str = "a-token-that-opens-tests-and-nothing-else";

/// A body that `POST /orders` accepts.
pub const TRIP: &str = r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;

/// The body that takes an order.
pub const TAKE: &str = r#"{"status": "TAKEN"}"#;
