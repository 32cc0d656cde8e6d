//! Logs and metrics.

pub mod logs;
pub mod metrics;
mod panics;
pub mod scrape;
