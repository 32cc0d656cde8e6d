//! The address of PostgreSQL, and its limits.

use std::num::NonZeroU32;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::conninfo::{self, Strings};
use super::settings::{DATABASE_POOL_SIZE, DATABASE_STATEMENT_TIMEOUT_MS, DATABASE_URL};
use super::{ConfigError, Environment};

/// PostgreSQL.
#[derive(Debug)]
pub struct Database {
    /// `DATABASE_URL`, with our time limits unless it sets them, and, if it names several hosts, the requirement of one
    /// that accepts writes.
    pub url: SecretString,
    /// The same for each single host, 1 or more.
    pub hosts: Vec<SecretString>,
    /// `DATABASE_POOL_SIZE`: the maximum of connections of one process.
    pub pool_size: NonZeroU32,
    /// `DATABASE_STATEMENT_TIMEOUT_MS`: the time limit of a statement.
    pub statement_timeout: Duration,
}

impl Database {
    /// Reads only this section, for commands that need no other.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let url = environment.secret(DATABASE_URL, conninfo::is_sound)?;
        let Strings { whole, hosts } = Strings::of(url.expose_secret());
        Ok(Self {
            url: whole.into(),
            hosts: hosts.into_iter().map(SecretString::from).collect(),
            pool_size: environment.number(DATABASE_POOL_SIZE)?,
            statement_timeout: Duration::from_millis(environment.number(DATABASE_STATEMENT_TIMEOUT_MS)?),
        })
    }
}
