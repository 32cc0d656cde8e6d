//! The log: JSON lines on standard output.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;

/// Begins to log; a second call changes nothing.
pub fn start(config: &config::Logs) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false);
    let level = LevelFilter::from_level(config.level);
    // It fails only where a log has been started before, as tests do.
    let _ = tracing_subscriber::registry().with(level).with(lines).try_init();
}
