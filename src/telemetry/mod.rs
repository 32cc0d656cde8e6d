//! How the service tells what it does.

#[cfg(test)]
mod documented;
pub mod logs;
pub mod metrics;
mod panics;
pub mod scrape;
