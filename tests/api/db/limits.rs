//! How the pool divides its connections.

use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Integer;
use diesel::{RunQueryDsl, select};
use order_api::config::{self, Environment};
use rocket::futures::future::join_all;
use rocket::tokio::time::Instant as Moment;

use crate::support::Database;

#[rocket::async_test]
async fn reads_leave_connections_to_writes() {
    let database = Database::empty();
    let environment = Environment::of(&[("DATABASE_URL", &database.url), ("DATABASE_POOL_SIZE", "4")]);
    let pool = order_api::db::Database::new(&config::Database::read(&environment).unwrap());
    let by = Moment::now() + Duration::from_secs(5);
    let sleep = |connection: &mut PgConnection| {
        select(sql::<Integer>("1 FROM pg_sleep(0.4)")).get_result::<i32>(connection)
    };
    let began = Instant::now();
    let reads = join_all((0..9).map(|_| pool.read(by, sleep)));
    let write = async {
        let work = |connection: &mut PgConnection| {
            select(sql::<Integer>("1"))
                .get_result::<i32>(connection)
                .map_err(order_api::db::DatabaseError::after_write)
        };
        pool.write(by, work).await.unwrap();
        began.elapsed()
    };
    let (reads, wrote) = rocket::tokio::join!(reads, write);
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    assert!(wrote < Duration::from_millis(400), "{wrote:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(1200),
        "3 of 4 connections read"
    );
}
