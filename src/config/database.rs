//! How to reach PostgreSQL, and with how much patience.

use std::num::NonZeroU32;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::conninfo::{self, Strings};
use super::{ConfigError, Environment};

/// PostgreSQL.
#[derive(Debug)]
pub struct Database {
    /// `DATABASE_URL`: a libpq URL, or a `name=value` connection string; required. With time limits of ours where
    /// it says nothing of them, and, where it names several hosts, the wish for one that takes writes.
    pub url: SecretString,
    /// The same for each of its hosts alone, 1 or more.
    pub hosts: Vec<SecretString>,
    /// `DATABASE_POOL_SIZE`, 1 to 1000, default 16: connections of one process.
    pub pool_size: NonZeroU32,
    /// `DATABASE_STATEMENT_TIMEOUT_MS`, 1 to 60000, default 1000: the longest a statement may run.
    pub statement_timeout: Duration,
}

impl Database {
    /// Reads this section alone, for commands that need no other.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let url = environment.secret(
            "DATABASE_URL",
            "a PostgreSQL URL such as postgresql://user:password@host:5432/name",
            conninfo::is_sound,
        )?;
        let pool_size =
            environment.optional("DATABASE_POOL_SIZE", "a whole number from 1 to 1000", |value| {
                value.parse().ok().filter(|n: &NonZeroU32| n.get() <= 1000)
            })?;
        let statement_timeout = environment.optional(
            "DATABASE_STATEMENT_TIMEOUT_MS",
            "a whole number from 1 to 60000",
            |value| value.parse().ok().filter(|n| (1..=60_000).contains(n)),
        )?;
        let Strings { whole, hosts } = Strings::of(url.expose_secret());
        Ok(Self {
            url: whole.into(),
            hosts: hosts.into_iter().map(SecretString::from).collect(),
            pool_size: pool_size.unwrap_or(const { NonZeroU32::new(16).unwrap() }),
            statement_timeout: Duration::from_millis(statement_timeout.unwrap_or(1000)),
        })
    }
}
