//! The address of Redis.

use redis::{ConnectionInfo, IntoConnectionInfo, RedisResult};
use secrecy::SecretString;

use super::settings::{REDIS_URL, REDIS_WAIT_REPLICAS};
use super::{ConfigError, Environment};

/// Redis.
#[derive(Debug)]
pub struct Redis {
    /// `REDIS_URL`, as read by [`RedisAddress::parse`].
    pub url: SecretString,
    /// `REDIS_WAIT_REPLICAS`: the number of replicas that must have a write before it is answered.
    pub wait_replicas: usize,
}

impl Redis {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            url: environment.secret(REDIS_URL, |value| RedisAddress::parse(value).is_some())?,
            wait_replicas: environment.number(REDIS_WAIT_REPLICAS)?,
        })
    }
}

/// The address of the primary, or of its sentinels.
pub enum RedisAddress {
    /// `redis://user:password@host:port/db`, `rediss://` for TLS, `redis+unix:///path` for a socket.
    Server(Box<ConnectionInfo>),
    /// `redis+sentinel://user:password@host:port,host:port/name/db`, `rediss+sentinel://` for TLS.
    Sentinels(Sentinels),
}

/// Sentinels, which are queried without a password, and the parts of the primary's URL.
pub struct Sentinels {
    /// Their addresses.
    pub sentinels: Vec<ConnectionInfo>,
    /// Their name for the primary.
    pub name: String,
    scheme: &'static str,
    /// With the `@`, if not empty.
    user: String,
    database: String,
}

impl RedisAddress {
    /// None if it is not such a URL.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let sentinels = |scheme, rest| Sentinels::parse(scheme, rest).map(Self::Sentinels);
        if let Some(rest) = url.strip_prefix("redis+sentinel://") {
            sentinels("redis", rest)
        } else if let Some(rest) = url.strip_prefix("rediss+sentinel://") {
            sentinels("rediss", rest)
        } else {
            Some(Self::Server(Box::new(url.into_connection_info().ok()?)))
        }
    }
}

impl Sentinels {
    fn parse(scheme: &'static str, rest: &str) -> Option<Self> {
        let (authority, path) = rest.split_once('/')?;
        let (name, database) = path.split_once('/').unwrap_or((path, "0"));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), authority),
        };
        let sentinel = |host| {
            format!("{scheme}://{}", with_port(host))
                .into_connection_info()
                .ok()
        };
        let parsed = Self {
            sentinels: hosts.split(',').map(sentinel).collect::<Option<_>>()?,
            name: name.to_owned(),
            scheme,
            user,
            database: database.to_owned(),
        };
        let complete = !name.is_empty() && hosts.split(',').all(|host| !host.is_empty());
        (complete && parsed.primary("localhost", 6379).is_ok()).then_some(parsed)
    }

    /// The URL of the primary at the address that the sentinels reported.
    ///
    /// # Errors
    /// The address is not valid.
    pub fn primary(&self, host: &str, port: u16) -> RedisResult<ConnectionInfo> {
        let Self {
            scheme,
            user,
            database,
            ..
        } = self;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        format!("{scheme}://{user}{host}:{port}/{database}").into_connection_info()
    }
}

/// The default port of a sentinel.
fn with_port(host: &str) -> String {
    let bare_ipv6 = host.ends_with(']');
    if host.contains(':') && !bare_ipv6 {
        host.to_owned()
    } else {
        format!("{host}:26379")
    }
}

#[cfg(test)]
mod tests {
    use super::{RedisAddress, Sentinels};

    fn sentinels(url: &str) -> Option<Sentinels> {
        match RedisAddress::parse(url)? {
            RedisAddress::Sentinels(sentinels) => Some(sentinels),
            RedisAddress::Server(_) => None,
        }
    }

    #[test]
    fn sentinels_are_queried_for_the_primary_of_the_url() {
        let found = sentinels("redis+sentinel://me:p%40ss@a,b:1,[::1],[::1]:2/orders/3").unwrap();
        let asked = found.sentinels.iter().map(|sentinel| sentinel.addr().to_string());
        assert_eq!(
            asked.collect::<Vec<_>>(),
            ["a:26379", "b:1", "::1:26379", "::1:2"]
        );
        assert_eq!(found.name, "orders");
        let primary = found.primary("10.0.0.1", 6380).unwrap();
        assert_eq!(primary.addr().to_string(), "10.0.0.1:6380");
        let settings = primary.redis_settings();
        assert_eq!(
            (settings.username(), settings.password()),
            (Some("me"), Some("p@ss"))
        );
        assert_eq!(settings.db(), 3);
        assert!(
            found
                .sentinels
                .iter()
                .all(|sentinel| sentinel.redis_settings().password().is_none())
        );
        assert_eq!(found.primary("::1", 6380).unwrap().addr().to_string(), "::1:6380");
    }

    #[test]
    fn the_database_is_0_by_default() {
        let found = sentinels("redis+sentinel://a/orders").unwrap();
        assert_eq!(found.primary("a", 1).unwrap().redis_settings().db(), 0);
    }

    #[test]
    fn a_url_without_a_sentinel_or_a_primary_is_refused() {
        for url in [
            "redis+sentinel://a",
            "redis+sentinel://a/",
            "redis+sentinel:///name",
            "redis+sentinel://a,/name",
            "redis+sentinel://a/name/x",
        ] {
            assert!(RedisAddress::parse(url).is_none(), "{url}");
        }
    }
}
