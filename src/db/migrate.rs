//! Migrates the database's tables, one process at a time.

use std::time::Duration;

use diesel::connection::Connection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::ExposeSecret;

use crate::config;

/// The files of `migrations/`, embedded in the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// How often a process that waits for another migration retries.
const POLL: Duration = Duration::from_millis(100);

/// Why the tables are not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL is unreachable.
    #[error("cannot connect to PostgreSQL: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The lock could not be requested.
    #[error("cannot lock the migrations: {0}")]
    Lock(#[from] diesel::result::Error),
    /// A migration failed; it is rolled back, and the previous ones stay.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
}

/// Runs the pending migrations and returns their names.
///
/// Holds an advisory lock of the session, which PostgreSQL releases if the process dies. It is polled and not
/// waited for in PostgreSQL: a waiting transaction would in turn block a `CREATE INDEX CONCURRENTLY`
/// (PostgreSQL manual, 13.3.5).
///
/// # Errors
/// PostgreSQL is unreachable, or a migration fails.
pub fn run(config: &config::Database) -> Result<Vec<String>, MigrateError> {
    let mut connection = PgConnection::establish(config.url.expose_secret())?;
    while !lock(&mut connection)? {
        tracing::info!("another process is migrating; waiting for it");
        std::thread::sleep(POLL);
    }
    let ran = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(MigrateError::Migration)?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

fn lock(connection: &mut PgConnection) -> Result<bool, diesel::result::Error> {
    // hashtext gives every version of this program the same key.
    select(sql::<Bool>("pg_try_advisory_lock(hashtext('order-api migrate'))")).get_result(connection)
}
