//! The checks of the service's dependencies, each independent of the others.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};
use rocket::tokio::time::Instant;

use crate::broker::{Broker, Trouble};
use crate::db::Database;
use crate::failure::Failure;

/// The time limit of a check.
const WITHIN: Duration = Duration::from_secs(1);

/// The state of PostgreSQL: `up`, `down`, `read-only` if it answers but does not accept writes, or `busy` if every
/// connection of the pool is in use.
pub(super) async fn postgres(database: &Database) -> &'static str {
    // On while the server is in recovery, and if default_transaction_read_only is on.
    let read_only = sql::<Bool>("current_setting('transaction_read_only')::bool");
    let answer = |connection: &mut PgConnection| select(read_only).get_result(connection);
    match database.check(Instant::now() + WITHIN, answer).await {
        Ok(false) => "up",
        Ok(true) => "read-only",
        Err(Failure::Overloaded(_)) => "busy",
        Err(_) => "down",
    }
}

/// The state of Redis: `up`, or why it does not accept writes.
pub(super) async fn redis(broker: &Broker) -> &'static str {
    broker.trouble().await.map_or("up", Trouble::word)
}
