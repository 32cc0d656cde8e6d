//! How to reach Redis.

use redis::IntoConnectionInfo;
use secrecy::SecretString;

use super::{ConfigError, Environment};

/// Redis.
#[derive(Debug)]
pub struct Redis {
    /// `REDIS_URL`: `redis://user:password@host:port/db`, `rediss://` for TLS, `redis+unix:///path` for a
    /// socket; required.
    pub url: SecretString,
}

impl Redis {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let url = environment.secret(
            "REDIS_URL",
            "a Redis URL such as redis://user:password@host:6379/0",
            |value| value.into_connection_info().is_ok(),
        )?;
        Ok(Self { url })
    }
}
