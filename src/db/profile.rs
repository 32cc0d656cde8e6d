//! What the statements of a pool are like: how PostgreSQL plans them, and how much they may take.

use std::time::Duration;

use crate::config;
use crate::lane::PATIENCE;

/// Threads that may be left waiting for PostgreSQL, beyond as many as the pool has connections.
const ABANDONED: usize = 32;

/// For statements that go by the primary key. One is planned once per connection and not at every call (PostgreSQL
/// manual, PREPARE): the index is right even for a plan that was made while the table was small. Such a plan does not
/// know how few rows are asked for, so it would be compiled where the table is large, which takes longer than to run
/// it. Nor does it know how many ids a batch has: a nested loop over them would compare each with each.
const BY_KEY: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_nestloop = off; SET jit = off";

/// The profile of a pool. Statements that need another plan, or more time, have a pool of their own.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// The settings of each session: SQL, without a semicolon at its end.
    pub settings: &'static str,
    /// The most connections.
    pub connections: u32,
    /// How many of them reads use at once, at most; the rest is for writes.
    pub reads: u32,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// How long a request in a lane waits for its statement to be sent.
    pub patience: Duration,
}

impl Profile {
    /// For short statements that find their rows by the primary key, such as all of the orders'.
    #[must_use]
    pub fn by_key(config: &config::Database) -> Self {
        let connections = config.pool_size.get();
        Self {
            settings: BY_KEY,
            connections,
            reads: (connections * 3 / 4).max(1),
            statement_timeout: config.statement_timeout,
            patience: PATIENCE,
        }
    }

    /// How many threads may wait for PostgreSQL at once.
    #[must_use]
    pub fn threads_max(&self) -> usize {
        self.connections as usize + self.abandoned_max()
    }

    /// How many of these may wait for an answer that nobody counts on: as many as the pool has connections may fall
    /// silent together, and their successors have room to do so too.
    pub(super) fn abandoned_max(&self) -> usize {
        self.connections as usize + ABANDONED
    }
}
