//! Brings the database's tables up to date, one process at a time.

use std::time::Duration;

use diesel::connection::Connection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::ExposeSecret;

use crate::config;

/// The files of `migrations/`, inside the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// How often a process that waits for another one's migration looks again.
const POLL: Duration = Duration::from_millis(100);

/// Why the tables are not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL cannot be reached.
    #[error("cannot connect to PostgreSQL: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The lock could not be asked for.
    #[error("cannot lock the migrations: {0}")]
    Lock(#[from] diesel::result::Error),
    /// A migration failed; it is rolled back, and those before it stay.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
}

/// Runs the migrations that are still to be run and names them.
///
/// Holds an advisory lock of the session, which PostgreSQL frees if the process dies. It is asked for again
/// and again and not waited for in PostgreSQL: a transaction that waits would in its turn hold up a
/// `CREATE INDEX CONCURRENTLY` (PostgreSQL manual, 13.3.5).
///
/// # Errors
/// PostgreSQL cannot be reached, or a migration fails.
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
