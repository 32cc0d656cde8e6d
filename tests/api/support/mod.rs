//! The harness: sets up what a test needs, and takes it down with it.

mod app;
mod client;
mod cluster;
mod database;
mod osrm;

pub use app::App;
pub use client::Answer;
pub use cluster::Cluster;
pub use database::Database;
pub use osrm::osrm;

/// How many at once make a race.
pub const RACERS: usize = 200;

/// A body that `POST /orders` accepts.
pub const TRIP: &str =
    r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;

/// The body that takes an order.
pub const TAKE: &str = r#"{"status": "TAKEN"}"#;
