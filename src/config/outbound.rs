//! How the distance provider is asked: by how many at once, and for how long.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::{ConfigError, Environment};

/// Calls to the distance provider.
#[derive(Debug)]
pub struct Outbound {
    /// `DISTANCE_CONCURRENCY`, 1 to 10000, default 64: calls of one process that are under way at once.
    pub concurrency: NonZeroUsize,
    /// `DISTANCE_TIMEOUT_MS`, 1 to 60000, default 1500: from the question to the answer, retry and the wait for others
    /// included.
    pub timeout: Duration,
}

impl Outbound {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let concurrency = environment.optional(
            "DISTANCE_CONCURRENCY",
            "a whole number from 1 to 10000",
            |value| value.parse().ok().filter(|n: &NonZeroUsize| n.get() <= 10_000),
        )?;
        let timeout =
            environment.optional("DISTANCE_TIMEOUT_MS", "a whole number from 1 to 60000", |value| {
                value.parse().ok().filter(|n| (1..=60_000).contains(n))
            })?;
        Ok(Self {
            concurrency: concurrency.unwrap_or(const { NonZeroUsize::new(64).unwrap() }),
            timeout: Duration::from_millis(timeout.unwrap_or(1500)),
        })
    }
}

#[cfg(test)]
impl Default for Outbound {
    fn default() -> Self {
        Self::read(&Environment::of(&[])).unwrap()
    }
}
