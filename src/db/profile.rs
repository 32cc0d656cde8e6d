//! The profile of a pool's statements: how PostgreSQL plans them, and their limits.

use std::time::Duration;

use crate::config;
use crate::lane::PATIENCE;

/// The maximum of abandoned threads, beyond the size of the pool.
const ABANDONED: usize = 32;

/// For statements by primary key. One is planned once per connection and not at every call (PostgreSQL
/// manual, PREPARE): the index is right even for a plan that was made while the table was small. Such a plan does not
/// know how few rows are requested, so on a large table JIT would compile it, which takes longer than running it. Nor
/// does it know the number of ids in a batch: a nested loop over them would compare each with every other.
const BY_KEY: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_nestloop = off; SET jit = off";

/// The profile of a pool. Statements that need another plan or more time have a separate pool.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// The session settings: SQL, without a final semicolon.
    pub settings: &'static str,
    /// The maximum of connections.
    pub connections: u32,
    /// The maximum of connections that reads use; the rest is for writes.
    pub reads: u32,
    /// The statement timeout.
    pub statement_timeout: Duration,
    /// How long a request in a lane waits for its statement to be sent.
    pub patience: Duration,
}

impl Profile {
    /// For short statements by primary key, such as all of the orders'.
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

    /// The maximum of threads that wait for PostgreSQL.
    #[must_use]
    pub fn threads_max(&self) -> usize {
        self.connections as usize + self.abandoned_max()
    }

    /// The maximum of abandoned threads: as many connections as the pool has may fall silent together, and so may their
    /// successors.
    pub(super) fn abandoned_max(&self) -> usize {
        self.connections as usize + ABANDONED
    }
}
