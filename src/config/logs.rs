//! What is logged.

use tracing::Level;

use super::{ConfigError, Environment};

/// The log.
#[derive(Debug)]
pub struct Logs {
    /// `LOG_LEVEL`, default `info`: the least severe level that is written.
    pub level: Level,
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
        Ok(Self {
            level: level.unwrap_or(Level::INFO),
        })
    }
}
