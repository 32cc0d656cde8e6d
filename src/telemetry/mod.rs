//! How the service tells what it does.

pub mod logs;
pub mod metrics;
mod panics;
pub mod scrape;
