//! A connection, and whether the server behind it is still to be trusted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel::pg::PgConnection;
use diesel::r2d2::R2D2Connection;

use super::connect::ConnectError;
use super::sqlstate::takes_no_writes;

/// How long it is believed that a server takes no writes, before another connection asks anew.
const READ_ONLY_FOR: Duration = Duration::from_millis(200);

/// What has happened to connections. One of them finds out, and all that are like it are dropped before they
/// cost a request each.
#[derive(Default)]
pub(super) struct Trust {
    /// Statements that were not answered: whoever has not answered since then may be as silent.
    silences: AtomicU64,
    /// Servers that take no writes any more: whoever was connected before then may be connected to one.
    demotions: AtomicU64,
}

impl Trust {
    /// To be asked for before a connection is made: what happens meanwhile counts against it.
    pub(super) fn now(&self) -> (u64, u64) {
        (
            self.silences.load(Ordering::SeqCst),
            self.demotions.load(Ordering::SeqCst),
        )
    }

    /// Another server has taken over.
    pub(super) fn failed_over(&self) {
        self.demotions.fetch_add(1, Ordering::SeqCst);
    }
}

/// A connection of the pool.
pub(super) struct Session {
    /// None while a statement runs on it. In a box, as it moves to and fro for each statement.
    connection: Option<Box<PgConnection>>,
    trust: Arc<Trust>,
    /// The silences that it has outlived.
    silences: u64,
    /// The demotions before which it was made.
    demotions: u64,
    /// The server took no writes when the connection was made.
    read_only: bool,
    made: Instant,
    /// Set by the connection itself when the server refuses a write for being one.
    refused: Arc<AtomicBool>,
    discarded: bool,
}

impl Session {
    pub(super) fn new(
        mut connection: PgConnection,
        trust: Arc<Trust>,
        (silences, demotions): (u64, u64),
        read_only: bool,
    ) -> Self {
        let refused = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&refused);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::FinishQuery {
                error: Some(error), ..
            } = event
                && takes_no_writes(error)
            {
                seen.store(true, Ordering::Relaxed);
            }
        });
        Self {
            connection: Some(Box::new(connection)),
            trust,
            silences,
            demotions,
            read_only,
            made: Instant::now(),
            refused,
            discarded: false,
        }
    }

    /// The connection, for one statement to have it for itself.
    pub(super) fn take(&mut self) -> Option<Box<PgConnection>> {
        self.connection.take()
    }

    /// The connection again, whose statement was answered.
    pub(super) fn put_back(&mut self, connection: Box<PgConnection>) {
        self.connection = Some(connection);
        self.silences = self.trust.silences.load(Ordering::SeqCst);
        if self.refused.swap(false, Ordering::Relaxed) {
            self.discarded = true;
            raise(&self.trust.demotions, self.demotions);
        }
    }

    /// Its statement was not answered.
    pub(super) fn fell_silent(&self) {
        raise(&self.trust.silences, self.silences);
    }

    /// It is not to be used again.
    pub(super) fn discard(&mut self) {
        self.discarded = true;
    }

    /// Whether its server took no writes when it was connected.
    pub(super) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether it is better to ask again than to believe that its server takes no writes.
    pub(super) fn may_take_writes_by_now(&self) -> bool {
        self.read_only && self.made.elapsed() > READ_ONLY_FOR
    }

    /// Since it was made.
    pub(super) fn age(&self) -> Duration {
        self.made.elapsed()
    }

    fn is_trusted(&self) -> bool {
        (self.silences, self.demotions) == self.trust.now()
    }

    /// Reads what the server has sent by itself, which is how libpq learns that it is gone. Twice, since
    /// the first read finds the server's last words and the second one the end. It costs no round trip.
    ///
    /// # Errors
    /// Why another connection is to be used.
    pub(super) fn check(&mut self) -> Result<(), ConnectError> {
        if !self.is_trusted() {
            return Err(ConnectError::Suspect);
        }
        let connection = self.connection.as_mut().ok_or(ConnectError::Suspect)?;
        for _ in 0..2 {
            if let Some(Err(error)) = connection.notifications_iter().next() {
                return Err(ConnectError::Statement(error));
            }
        }
        Ok(())
    }

    /// Whether it must not go back to the pool.
    pub(super) fn is_spent(&mut self) -> bool {
        let broken = self
            .connection
            .as_mut()
            .is_none_or(|connection| connection.is_broken());
        broken || self.discarded || !self.is_trusted()
    }
}

/// One more, unless somebody has counted the same already.
fn raise(count: &AtomicU64, seen: u64) {
    let _ = count.compare_exchange(seen, seen + 1, Ordering::SeqCst, Ordering::SeqCst);
}
