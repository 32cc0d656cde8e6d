//! r2d2's callbacks: how connections are made and checked, and how errors are reported.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::r2d2::{HandleError, ManageConnection};

use super::connect::{ConnectError, Connector};
use super::session::Session;

/// A missing connection is logged at most once per second.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Makes and checks connections. Unlike Diesel's own manager, its check costs no round trip.
pub(super) struct Manager(pub(super) Connector);

impl ManageConnection for Manager {
    type Connection = Session;
    type Error = ConnectError;

    fn connect(&self) -> Result<Session, ConnectError> {
        self.0.connect()
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), ConnectError> {
        session.check()
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.is_spent()
    }
}

/// Logs why there is no connection; waiting requests are answered by their own deadline.
#[derive(Debug, Default)]
pub(super) struct LogError {
    last: Mutex<Option<Instant>>,
}

impl HandleError<ConnectError> for LogError {
    fn handle_error(&self, error: ConnectError) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= LOG_EVERY) {
            *last = Some(Instant::now());
            tracing::error!(%error, "no connection to PostgreSQL");
        }
    }
}
