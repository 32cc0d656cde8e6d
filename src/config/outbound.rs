//! The limits of calls to the distance provider.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::settings::{DISTANCE_CONCURRENCY, DISTANCE_TIMEOUT_MS};
use super::{ConfigError, Environment};

/// Calls to the distance provider.
#[derive(Debug)]
pub struct Outbound {
    /// `DISTANCE_CONCURRENCY`: the maximum of calls of one process in flight.
    pub concurrency: NonZeroUsize,
    /// `DISTANCE_TIMEOUT_MS`: the deadline of a call, including its retry and the wait for other calls.
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
