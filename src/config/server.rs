//! Where the service listens, on how many threads, how long it may take to stop, and what it is there for.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use serde::Serialize;

use super::{ConfigError, Environment};

/// What this service and its data are there for; clients are told, and load tests act upon it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A developer's own.
    Development,
    /// Its data may be spoilt at any time: the only one that load tests run against unasked.
    Test,
    /// Real orders: no load test runs against it.
    Production,
}

impl Purpose {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "development" => Some(Self::Development),
            "test" => Some(Self::Test),
            "production" => Some(Self::Production),
            _ => None,
        }
    }
}

/// The HTTP server.
#[derive(Debug)]
pub struct Server {
    /// `LISTEN`, default `127.0.0.1:8000`; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// `WORKER_THREADS`, 1 to 256, default half of the processors: threads that read requests and write answers.
    /// The other half is for what they wait for: statements, Nginx, and where they run here too the databases.
    pub worker_threads: NonZeroUsize,
    /// `SHUTDOWN_GRACE_SECONDS`, 3 to 300, default 10: from the end of the drain to the exit at the latest.
    pub shutdown_grace: Duration,
    /// `SHUTDOWN_DRAIN_SECONDS`, 0 to 60, default 0: how long open connections are served on after
    /// the signal; new ones are refused at once.
    pub shutdown_drain: Duration,
    /// `REPLICAS`, 1 to 1000, none unless told: how many of these are meant to run, for alerts.
    pub replicas: Option<u16>,
    /// `ENVIRONMENT`, default `development`: what this service is there for.
    pub purpose: Purpose,
}

impl Server {
    /// Reads this section alone, for commands that need no other.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let listen = environment.optional(
            "LISTEN",
            "an address and a port such as 127.0.0.1:8000",
            |value| value.parse().ok(),
        )?;
        let workers = environment.optional("WORKER_THREADS", "a whole number from 1 to 256", |value| {
            value.parse().ok().filter(|n: &NonZeroUsize| n.get() <= 256)
        })?;
        let grace = environment.optional(
            "SHUTDOWN_GRACE_SECONDS",
            "a whole number from 3 to 300",
            |value| value.parse().ok().filter(|n| (3..=300).contains(n)),
        )?;
        let drain =
            environment.optional("SHUTDOWN_DRAIN_SECONDS", "a whole number from 0 to 60", |value| {
                value.parse().ok().filter(|n| *n <= 60)
            })?;
        let replicas = environment.optional("REPLICAS", "a whole number from 1 to 1000", |value| {
            value.parse().ok().filter(|n| (1..=1000).contains(n))
        })?;
        let purpose = environment.optional(
            "ENVIRONMENT",
            "one of development, test, production",
            Purpose::parse,
        )?;
        Ok(Self {
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8000))),
            worker_threads: workers.unwrap_or_else(half_of_the_processors),
            shutdown_grace: Duration::from_secs(grace.unwrap_or(10)),
            shutdown_drain: Duration::from_secs(drain.unwrap_or(0)),
            replicas,
            purpose: purpose.unwrap_or(Purpose::Development),
        })
    }
}

fn half_of_the_processors() -> NonZeroUsize {
    let processors = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(processors.get() / 2).unwrap_or(NonZeroUsize::MIN)
}
