//! What the service needs to be well, each looked at for itself.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Integer;
use diesel::{RunQueryDsl, select};
use rocket::tokio::time::{Instant, timeout};

use crate::broker::{Broker, Trouble};
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

/// Whether Redis takes writes: `up`, or what is wrong with it.
pub(super) async fn redis(broker: &Broker) -> Result<(), Trouble> {
    broker.trouble().await.map_or(Ok(()), Err)
}
