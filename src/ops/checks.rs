//! What the service needs to be well, each looked at for itself.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Integer;
use diesel::{RunQueryDsl, select};
use redis::cmd;
use rocket::tokio::time::{Instant, timeout};

use crate::broker::Broker;
use crate::db::Database;

/// The longest that a check may take.
const WITHIN: Duration = Duration::from_secs(1);

/// Whether PostgreSQL answers a statement.
pub(super) async fn postgres(database: &Database) -> bool {
    let answer = |connection: &mut PgConnection| select(sql::<Integer>("1")).execute(connection);
    matches!(
        timeout(WITHIN, database.read(Instant::now() + WITHIN, answer)).await,
        Ok(Ok(_))
    )
}

/// Whether Redis answers a ping.
pub(super) async fn redis(broker: &Broker) -> bool {
    let ping = cmd("PING");
    matches!(timeout(WITHIN, broker.read::<()>(&ping)).await, Ok(Ok(())))
}
