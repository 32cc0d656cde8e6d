//! The log's level and directory.

use std::path::PathBuf;

use tracing::Level;

use super::settings::{LOG_DIR, LOG_LEVEL};
use super::{ConfigError, Environment};

/// The log.
#[derive(Debug)]
pub struct Logs {
    /// `LOG_LEVEL`: the minimum severity.
    pub level: Level,
    /// `LOG_DIR`: the directory of the log files; none for `-`, which means standard output only.
    pub directory: Option<PathBuf>,
}

impl Logs {
    /// Reads only this section, for commands that need no other.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            level: environment.read(LOG_LEVEL, |value| value.parse().ok())?,
            directory: environment.read(LOG_DIR, |name| Some((name != "-").then(|| name.into())))?,
        })
    }
}
