//! The pool of PostgreSQL connections, and how a request borrows one without blocking others.
//!
//! No request waits for a server that does not answer, and no slot in the pool is lost to it. A statement that was not
//! answered in time leaves its thread and its connection behind, and another connection takes their slot.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::pg::PgConnection;
use diesel::r2d2::{Pool, PooledConnection};
use diesel::result::QueryResult;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::claim::{Claim, Lent, Permits, Waiter};
use super::connect::Connector;
use super::failure::unavailable;
use super::hosts::Hosts;
use super::kind::Kind;
use super::manager::{LogError, Manager};
use super::metrics::METRICS;
use super::profile::Profile;
use crate::config;
use crate::failure::{Failure, Overload};
use crate::telemetry::scrape::AtScrape;

/// Idle connections that are kept ready; more are made when needed.
const IDLE_MIN: u32 = 2;
/// r2d2 retries after half of that. Callers set their own timeout.
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(200);
/// If PostgreSQL has not reported the end of a statement this long after its time limit, it or the network is stuck.
const SILENCE: Duration = Duration::from_millis(250);

/// The database for the handlers: closures over a connection, run off the async threads.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Manager>,
    connector: Connector,
    /// One per connection, so that waiting for one blocks no thread.
    permits: Arc<Semaphore>,
    /// For reads, which leave some of the connections to writes.
    reads: Arc<Semaphore>,
    /// For checks, which use at most one connection.
    checks: Arc<Semaphore>,
    /// For abandoned threads.
    abandoned: Arc<Semaphore>,
    profile: Profile,
}

/// Time limits.
#[derive(Clone, Copy)]
struct Limits {
    kind: Kind,
    begin_by: Instant,
    answer_by: Instant,
}

impl Database {
    /// A pool that connects in the background, so that the service starts, and recovers, without PostgreSQL.
    #[must_use]
    pub fn new(config: &config::Database, profile: Profile) -> Self {
        let connector = Connector::new(Hosts::new(config, &profile));
        let pool = Pool::builder()
            .max_size(profile.connections)
            .min_idle(Some(IDLE_MIN.min(profile.connections)))
            .connection_timeout(CONNECTION_TIMEOUT)
            .error_handler(Box::new(LogError::default()))
            .build_unchecked(Manager(connector.clone()));
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            pool,
            connector,
            permits: semaphore(profile.connections as usize),
            reads: semaphore(profile.reads as usize),
            checks: semaphore(1),
            abandoned: semaphore(profile.abandoned_max()),
            profile,
        }
    }

    /// The profile of the pool's statements.
    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Runs a statement that changes nothing, if a connection is available by `begin_by`.
    ///
    /// # Errors
    /// PostgreSQL is unreachable or refuses.
    pub async fn read<T, F>(&self, begin_by: Instant, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        self.run(Kind::Read, begin_by, work).await
    }

    /// Runs a statement that changes something and is its own transaction, if a connection is available by `begin_by`.
    ///
    /// # Errors
    /// PostgreSQL is unreachable or refuses, or the outcome is unknown.
    pub async fn write<T, F>(&self, begin_by: Instant, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        self.run(Kind::Write, begin_by, work).await
    }

    /// Runs a statement that checks the server, and returns its answer by `answer_by`. One runs at a time.
    ///
    /// # Errors
    /// PostgreSQL is unreachable or refuses, or the check had no turn in time.
    pub async fn check<T, F>(&self, answer_by: Instant, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        let limits = Limits {
            kind: Kind::Check,
            begin_by: answer_by.checked_sub(SILENCE).unwrap_or(answer_by),
            answer_by,
        };
        self.run_within(limits, work).await
    }

    /// Updates the metrics of the connections.
    fn report(&self) {
        let state = self.pool.state();
        let busy = state.connections.saturating_sub(state.idle_connections);
        let abandoned = self
            .profile
            .abandoned_max()
            .saturating_sub(self.abandoned.available_permits());
        for (name, number) in [
            ("busy", busy),
            ("idle", state.idle_connections),
            ("abandoned", u32::try_from(abandoned).unwrap_or(u32::MAX)),
            (
                "connecting",
                u32::try_from(self.connector.under_way()).unwrap_or(u32::MAX),
            ),
        ] {
            let connections = &METRICS.connections;
            connections.with_label_values(&[name]).set(number.into());
        }
    }

    /// Runs a statement of this kind, if a connection is available by `begin_by`.
    pub(super) async fn run<T, F>(&self, kind: Kind, begin_by: Instant, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        let limits = Limits {
            kind,
            begin_by,
            answer_by: begin_by + self.profile.statement_timeout,
        };
        self.run_within(limits, work).await
    }

    async fn run_within<T, F>(&self, limits: Limits, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        let asked = Instant::now();
        let permits = timeout_at(limits.begin_by, self.permits(limits.kind))
            .await
            .map_err(|_| match limits.kind {
                Kind::Check => Failure::Overloaded(Overload::Late),
                Kind::Read | Kind::Write => unavailable("every connection is busy"),
            })??;
        let waiter = Waiter {
            claim: Arc::new(Claim::default()),
            abandoned: &self.abandoned,
        };
        let claim = Arc::clone(&waiter.claim);
        let pool = self.pool.clone();
        let mut running = spawn_blocking(move || {
            let pooled = connection_of(&pool, limits)?;
            METRICS.connection_wait.observe(asked.elapsed().as_secs_f64());
            let mut connection = claim
                .begin(Lent::new(pooled, permits))
                .ok_or_else(|| unavailable("the request has given up"))?;
            let done = work(&mut connection);
            claim.end(connection);
            done.map_err(|error| limits.kind.failed(error))
        });
        let silent_after = self.profile.statement_timeout + SILENCE;
        if let Some(finished) = waiter.wait(&mut running, silent_after, limits.answer_by).await {
            return finished.map_err(|error| limits.kind.no_answer()(error.to_string()))?;
        }
        Err(if waiter.abandon() {
            limits.kind.no_answer()("PostgreSQL does not answer".to_owned())
        } else {
            unavailable("no connection in time")
        })
    }

    async fn permits(&self, kind: Kind) -> Result<Permits, Failure> {
        let of_kind = match kind {
            Kind::Read => Some(&self.reads),
            Kind::Check => Some(&self.checks),
            Kind::Write => None,
        };
        let of_kind = match of_kind {
            Some(permits) => Some(Arc::clone(permits).acquire_owned().await.map_err(unavailable)?),
            None => None,
        };
        let permits = Arc::clone(&self.permits).acquire_owned();
        Ok((permits.await.map_err(unavailable)?, of_kind))
    }
}

#[async_trait]
impl AtScrape for Database {
    async fn renew(&self, _by: Instant) {
        self.report();
    }
}

/// A connection of the pool that suits this purpose.
fn connection_of(pool: &Pool<Manager>, limits: Limits) -> Result<PooledConnection<Manager>, Failure> {
    let fetch = || {
        let wait = limits.begin_by.saturating_duration_since(Instant::now());
        pool.get_timeout(wait).map_err(unavailable)
    };
    let mut pooled = fetch()?;
    if limits.kind == Kind::Read {
        return Ok(pooled);
    }
    // A server that was read-only may have changed, and only a new connection can tell.
    while pooled.may_take_writes_by_now() {
        pooled.discard();
        drop(pooled);
        pooled = fetch()?;
    }
    if limits.kind == Kind::Write && pooled.is_read_only() {
        return Err(unavailable("PostgreSQL takes no writes: it is read-only"));
    }
    Ok(pooled)
}
