//! Where the service listens, and how long it may take to stop.

use std::net::SocketAddr;
use std::time::Duration;

use super::{ConfigError, Environment};

/// The HTTP server.
#[derive(Debug)]
pub struct Server {
    /// `LISTEN`, default `127.0.0.1:8000`; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// `SHUTDOWN_GRACE_SECONDS`, 3 to 300, default 10: from the end of the drain to the exit at the latest.
    pub shutdown_grace: Duration,
    /// `SHUTDOWN_DRAIN_SECONDS`, 0 to 60, default 0: from the signal until new connections are refused.
    pub shutdown_drain: Duration,
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
        let grace = environment.optional(
            "SHUTDOWN_GRACE_SECONDS",
            "a whole number from 3 to 300",
            |value| value.parse().ok().filter(|n| (3..=300).contains(n)),
        )?;
        let drain =
            environment.optional("SHUTDOWN_DRAIN_SECONDS", "a whole number from 0 to 60", |value| {
                value.parse().ok().filter(|n| *n <= 60)
            })?;
        Ok(Self {
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8000))),
            shutdown_grace: Duration::from_secs(grace.unwrap_or(10)),
            shutdown_drain: Duration::from_secs(drain.unwrap_or(0)),
        })
    }
}
