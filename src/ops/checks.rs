//! What the service needs to be well, each looked at for itself.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Bool;
use diesel::{RunQueryDsl, select};
use rocket::tokio::time::Instant;

use crate::broker::{Broker, Trouble};
use crate::db::Database;
use crate::failure::Failure;

/// The longest that a check may take.
const WITHIN: Duration = Duration::from_secs(1);

/// What PostgreSQL is like: `up`, `down`, `read-only` where it answers and takes no writes, or `busy` where every
/// connection of the pool works.
pub(super) async fn postgres(database: &Database) -> &'static str {
    // On while the server is in recovery, and where default_transaction_read_only is on.
    let read_only = sql::<Bool>("current_setting('transaction_read_only')::bool");
    let answer = |connection: &mut PgConnection| select(read_only).get_result(connection);
    match database.check(Instant::now() + WITHIN, answer).await {
        Ok(false) => "up",
        Ok(true) => "read-only",
        Err(Failure::Overloaded(_)) => "busy",
        Err(_) => "down",
    }
}

/// What Redis is like: `up`, or why it takes no writes.
pub(super) async fn redis(broker: &Broker) -> &'static str {
    broker.trouble().await.map_or("up", Trouble::word)
}
