//! The pool of PostgreSQL connections, and how a request borrows one without blocking others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::r2d2::{HandleError, ManageConnection, Pool, R2D2Connection};
use diesel::result::QueryResult;
use diesel::{Connection, r2d2};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::{Instant, timeout_at};
use secrecy::{ExposeSecret, SecretString};

use super::{DatabaseError, sqlstate};
use crate::config;
use crate::telemetry::metrics::METRICS;

/// A statement is planned once and not at every call (PostgreSQL manual, PREPARE). All of ours go by the primary
/// key: the index is right even for a plan that was made while the table was small. Such a plan does not know how
/// few rows are asked for, so it would be compiled where the table is large, which takes longer than to run it.
/// Nor does it know how many ids a batch has: a nested loop over them would compare each with each.
const ONE_PLAN: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_nestloop = off; SET jit = off";
/// Connections that are kept ready; as many as work at once are made when they are needed.
const IDLE_MIN: u32 = 2;
/// How long r2d2 waits by itself; those who ask it say how long they do.
const CONNECTION_WAIT: Duration = Duration::from_secs(1);

/// The database, as handlers use it: closures over a connection, run off the async threads.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Manager>,
    /// One for each connection, so that waiting for one holds no thread.
    permits: Arc<Semaphore>,
    statement_timeout: Duration,
}

impl Database {
    /// A pool that connects in the background, so that the service starts, and recovers, without PostgreSQL.
    #[must_use]
    pub fn new(config: &config::Database) -> Self {
        let manager = Manager {
            url: config.url.clone(),
            statement_timeout: config.statement_timeout,
        };
        let pool = Pool::builder()
            .max_size(config.pool_size.get())
            .min_idle(Some(IDLE_MIN.min(config.pool_size.get())))
            .connection_timeout(CONNECTION_WAIT)
            .error_handler(Box::new(LogError))
            .build_unchecked(manager);
        Self {
            pool,
            permits: Arc::new(Semaphore::new(config.pool_size.get() as usize)),
            statement_timeout: config.statement_timeout,
        }
    }

    /// Runs a statement that changes nothing, if a connection is there by `begin_by`.
    ///
    /// # Errors
    /// PostgreSQL cannot be reached or refuses.
    pub async fn read<T, F>(&self, begin_by: Instant, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        let work = |connection: &mut PgConnection| work(connection).map_err(DatabaseError::after_read);
        self.run(begin_by, work, DatabaseError::Unavailable).await
    }

    /// Runs a statement that changes something, in the way of [`super::batch`], if a connection is there by
    /// `begin_by`.
    ///
    /// # Errors
    /// PostgreSQL cannot be reached or refuses, or nobody knows whether it committed.
    pub async fn write<T, F>(&self, begin_by: Instant, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.run(begin_by, work, DatabaseError::OutcomeUnknown).await
    }

    /// Sets the metrics that tell how many connections there are and how many of them work.
    pub fn report(&self) {
        let state = self.pool.state();
        let busy = state.connections.saturating_sub(state.idle_connections);
        let connections = &METRICS.database_connections;
        connections.with_label_values(&["busy"]).set(busy.into());
        connections
            .with_label_values(&["idle"])
            .set(state.idle_connections.into());
    }

    async fn run<T, F>(
        &self,
        begin_by: Instant,
        work: F,
        no_answer: fn(String) -> DatabaseError,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        let started = Instant::now();
        let permit = timeout_at(begin_by, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| unavailable("every connection is busy"))?
            .map_err(unavailable)?;
        // Set by whoever comes first: the statement that begins, or the request that gives up on it.
        let decided = Arc::new(AtomicBool::new(false));
        let pool = self.pool.clone();
        let running = spawn_blocking({
            let decided = Arc::clone(&decided);
            move || {
                let _permit = permit;
                let wait = begin_by.saturating_duration_since(Instant::now());
                let mut connection = pool.get_timeout(wait).map_err(unavailable)?;
                METRICS
                    .database_connection_wait
                    .observe(started.elapsed().as_secs_f64());
                if decided.swap(true, Ordering::SeqCst) {
                    return Err(unavailable("the request has given up"));
                }
                work(&mut connection)
            }
        });
        // PostgreSQL ends a statement in time by itself, unless it is stuck whole or the network is.
        match timeout_at(begin_by + self.statement_timeout, running).await {
            Ok(finished) => finished.map_err(|error| no_answer(error.to_string()))?,
            Err(_) if decided.swap(true, Ordering::SeqCst) => {
                Err(no_answer("PostgreSQL does not answer".to_owned()))
            }
            Err(_) => Err(unavailable("no connection in time")),
        }
    }
}

fn unavailable(reason: impl ToString) -> DatabaseError {
    DatabaseError::Unavailable(reason.to_string())
}

/// Makes and checks connections. Unlike Diesel's own, its check costs no round trip.
struct Manager {
    url: SecretString,
    statement_timeout: Duration,
}

impl ManageConnection for Manager {
    type Connection = PgConnection;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<PgConnection, r2d2::Error> {
        let mut connection =
            PgConnection::establish(self.url.expose_secret()).map_err(r2d2::Error::ConnectionError)?;
        connection
            .batch_execute(&format!(
                "SET application_name = 'order-api'; SET statement_timeout = {}; {ONE_PLAN}; {}",
                self.statement_timeout.as_millis(),
                sqlstate::ENGLISH_MESSAGES,
            ))
            .map_err(r2d2::Error::QueryError)?;
        Ok(connection)
    }

    /// Reads what the server has sent by itself, which is how libpq learns that it is gone. Twice, since
    /// the first read finds the server's last words and the second one the end.
    fn is_valid(&self, connection: &mut PgConnection) -> Result<(), r2d2::Error> {
        for _ in 0..2 {
            if let Some(Err(error)) = connection.notifications_iter().next() {
                return Err(r2d2::Error::QueryError(error));
            }
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut PgConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

/// Logs why there is no connection; the requests that wait for one are answered by their own time limit.
#[derive(Debug)]
struct LogError;

impl HandleError<r2d2::Error> for LogError {
    fn handle_error(&self, error: r2d2::Error) {
        tracing::error!(%error, "no connection to PostgreSQL");
    }
}
