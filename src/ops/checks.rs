//! What the service needs to be well, each looked at for itself.

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Integer;
use diesel::{RunQueryDsl, select};

use crate::db::{Database, DatabaseError};

/// PostgreSQL answers a statement.
pub(super) async fn postgres(database: &Database) -> Result<(), DatabaseError> {
    let answer = |connection: &mut PgConnection| select(sql::<Integer>("1")).execute(connection);
    database.read(answer).await.map(|_rows| ())
}
