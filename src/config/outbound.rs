//! How the distance provider is asked: by how many at once, and for how long.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::settings::{DISTANCE_CONCURRENCY, DISTANCE_TIMEOUT_MS};
use super::{ConfigError, Environment};

/// Calls to the distance provider.
#[derive(Debug)]
pub struct Outbound {
    /// `DISTANCE_CONCURRENCY`: calls of one process that may be under way at once.
    pub concurrency: NonZeroUsize,
    /// `DISTANCE_TIMEOUT_MS`: from the question to the answer, retry and the wait for others included.
    pub timeout: Duration,
}

impl Outbound {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            concurrency: environment.number(DISTANCE_CONCURRENCY)?,
            timeout: Duration::from_millis(environment.number(DISTANCE_TIMEOUT_MS)?),
        })
    }
}

#[cfg(test)]
impl Default for Outbound {
    fn default() -> Self {
        Self::read(&Environment::of(&[])).unwrap()
    }
}
