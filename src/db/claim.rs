//! The owner of a connection: the thread that runs a statement on it, or nobody, once its answer is not awaited.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::pg::PgConnection;
use diesel::r2d2::PooledConnection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};

use super::manager::Manager;

/// What is returned when a statement ends: the slot in the pool, and the permits to use it.
pub(super) struct Lent {
    pooled: PooledConnection<Manager>,
    #[expect(dead_code, reason = "given back when it is dropped, after the pooled")]
    permits: Permits,
}

impl Lent {
    pub(super) fn new(pooled: PooledConnection<Manager>, permits: Permits) -> Self {
        Self { pooled, permits }
    }
}

/// The permit of a connection, and that of its kind.
pub(super) type Permits = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// The progress of a statement, shared by its thread and the caller.
#[derive(Default)]
pub(super) struct Claim(Mutex<State>);

#[derive(Default)]
enum State {
    /// There is no connection yet.
    #[default]
    Waiting,
    /// The thread has the connection, and its slot in the pool is kept.
    Running(Instant, Lent),
    /// The caller has gone. The thread has the connection, if it had begun, and no slot in the pool.
    Abandoned(#[expect(dead_code, reason = "held until the thread ends")] Option<OwnedSemaphorePermit>),
    /// The statement has ended.
    Ended,
}

impl Claim {
    /// The connection, for the statement to begin; none if the caller has gone.
    pub(super) fn begin(&self, mut lent: Lent) -> Option<Box<PgConnection>> {
        let mut state = self.state();
        if !matches!(*state, State::Waiting) {
            return None;
        }
        let connection = lent.pooled.take()?;
        *state = State::Running(Instant::now(), lent);
        Some(connection)
    }

    /// The statement has ended: its connection returns to the pool, or is closed if it has no slot there.
    pub(super) fn end(&self, connection: Box<PgConnection>) {
        let before = self.replace(State::Ended);
        if let State::Running(_, mut lent) = before {
            lent.pooled.put_back(connection);
        }
    }

    /// When the statement began, if it runs.
    fn running_since(&self) -> Option<Instant> {
        match *self.state() {
            State::Running(since, _) => Some(since),
            _ => None,
        }
    }

    /// The caller does not wait any more; returns whether the statement had begun.
    ///
    /// The connection's slot in the pool is free at once if the thread may keep the connection, as far as `threads`
    /// allows; otherwise as soon as it may.
    pub(super) fn abandon(self: &Arc<Self>, threads: &Arc<Semaphore>) -> bool {
        {
            let mut state = self.state();
            match &*state {
                State::Waiting => *state = State::Abandoned(None),
                State::Running(_, lent) => lent.pooled.fell_silent(),
                State::Abandoned(_) | State::Ended => {}
            }
            if !matches!(*state, State::Running(..)) {
                return false;
            }
        }
        match Arc::clone(threads).try_acquire_owned() {
            Ok(permit) => self.let_go(permit),
            Err(_) => {
                if let Ok(runtime) = Handle::try_current() {
                    let (claim, threads) = (Arc::clone(self), Arc::clone(threads));
                    runtime.spawn(async move {
                        if let Ok(permit) = threads.acquire_owned().await {
                            claim.let_go(permit);
                        }
                    });
                }
            }
        }
        true
    }

    fn let_go(&self, permit: OwnedSemaphorePermit) {
        let mut state = self.state();
        if matches!(*state, State::Running(..)) {
            let before = std::mem::replace(&mut *state, State::Abandoned(Some(permit)));
            drop(state);
            drop(before);
        }
    }

    fn replace(&self, state: State) -> State {
        std::mem::replace(&mut *self.state(), state)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an answer; dropping it abandons the statement.
pub(super) struct Waiter<'a> {
    pub(super) claim: Arc<Claim>,
    pub(super) abandoned: &'a Arc<Semaphore>,
}

impl Waiter<'_> {
    /// What came of the statement's thread; nothing, if the statement has been silent for too long once it began, or
    /// when the time is up. PostgreSQL ends a statement in time, unless all of it is stuck or the network is.
    pub(super) async fn wait<T>(
        &self,
        running: &mut JoinHandle<T>,
        silent_after: Duration,
        answer_by: Instant,
    ) -> Option<Result<T, JoinError>> {
        let mut until = answer_by.min(Instant::now() + silent_after);
        loop {
            if let Ok(finished) = timeout_at(until, &mut *running).await {
                return Some(finished);
            }
            let since = self.claim.running_since();
            let later = since.map_or(answer_by, |since| since + silent_after);
            let later = later.min(answer_by);
            if later <= until {
                return None;
            }
            until = later;
        }
    }

    /// Whether the statement had begun.
    pub(super) fn abandon(&self) -> bool {
        self.claim.abandon(self.abandoned)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.abandon();
    }
}
