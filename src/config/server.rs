//! The HTTP server: its address, threads, shutdown and purpose.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use serde::Serialize;

use super::settings::{
    ENVIRONMENT, LISTEN, REPLICAS, SHUTDOWN_DRAIN_SECONDS, SHUTDOWN_GRACE_SECONDS, WORKER_THREADS,
};
use super::{ConfigError, Environment};

/// The purpose of this service and its data; clients can read it, and load tests respect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A developer's own stack.
    Development,
    /// Its data may be spoilt at any time: the only one that load tests run against by default.
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
    /// `LISTEN`; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// `WORKER_THREADS`: threads that read requests and write answers.
    pub worker_threads: NonZeroUsize,
    /// `SHUTDOWN_GRACE_SECONDS`: the maximum time from the end of the drain to the exit.
    pub shutdown_grace: Duration,
    /// `SHUTDOWN_DRAIN_SECONDS`: how long open connections are served after the signal; new ones are refused at once.
    pub shutdown_drain: Duration,
    /// `REPLICAS`: the expected number of instances, for alerts.
    pub replicas: Option<u16>,
    /// `ENVIRONMENT`: the purpose of this service.
    pub purpose: Purpose,
}

impl Server {
    /// Reads only this section, for commands that need no other.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let workers = environment.optional(WORKER_THREADS, |text| WORKER_THREADS.number(text))?;
        Ok(Self {
            listen: environment.read(LISTEN, |value| value.parse().ok())?,
            worker_threads: workers.unwrap_or_else(half_of_the_processors),
            shutdown_grace: Duration::from_secs(environment.number(SHUTDOWN_GRACE_SECONDS)?),
            shutdown_drain: Duration::from_secs(environment.number(SHUTDOWN_DRAIN_SECONDS)?),
            replicas: environment.optional(REPLICAS, |text| REPLICAS.number(text))?,
            purpose: environment.read(ENVIRONMENT, Purpose::parse)?,
        })
    }
}

fn half_of_the_processors() -> NonZeroUsize {
    let processors = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(processors.get() / 2).unwrap_or(NonZeroUsize::MIN)
}
