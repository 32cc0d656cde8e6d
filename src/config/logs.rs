//! What is logged, and where to.

use std::path::PathBuf;

use tracing::Level;

use super::{ConfigError, Environment};

/// The log.
#[derive(Debug)]
pub struct Logs {
    /// `LOG_LEVEL`, default `info`: the least severe level that is written.
    pub level: Level,
    /// `LOG_DIR`, default `logs`: the directory of the log files; none for `-`, and so standard output alone.
    pub directory: Option<PathBuf>,
}

impl Logs {
    /// Reads this section alone, for commands that need no other.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let level = environment.optional("LOG_LEVEL", "one of error, warn, info, debug, trace", |value| {
            value.parse().ok()
        })?;
        let directory = environment.get("LOG_DIR").unwrap_or_else(|| "logs".to_owned());
        Ok(Self {
            level: level.unwrap_or(Level::INFO),
            directory: Some(directory).filter(|name| name != "-").map(PathBuf::from),
        })
    }
}
