//! How the pool divides its connections.

use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::Integer;
use diesel::{RunQueryDsl, select};
use order_api::failure::{Backend, Failure};
use rocket::futures::future::join_all;
use rocket::tokio::join;

use super::{pool, process_after, within_ms};
use crate::support::Database;

#[rocket::async_test]
async fn reads_leave_connections_to_writes() {
    let database = Database::empty();
    let pool = pool(&database.url, &[("DATABASE_POOL_SIZE", "4")]);
    let by = within_ms(5000);
    let sleep = |connection: &mut PgConnection| {
        select(sql::<Integer>("1 FROM pg_sleep(0.4)")).get_result::<i32>(connection)
    };
    let began = Instant::now();
    let reads = join_all((0..9).map(|_| pool.read(by, sleep)));
    let write = async {
        let work = |connection: &mut PgConnection| select(sql::<Integer>("1")).get_result::<i32>(connection);
        pool.write(by, work).await.unwrap();
        began.elapsed()
    };
    let (reads, wrote) = join!(reads, write);
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    assert!(wrote < Duration::from_millis(400), "{wrote:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(1200),
        "3 of 4 connections read"
    );
}

#[rocket::async_test]
async fn a_check_is_answered_by_its_deadline_while_its_statement_runs_on() {
    let database = Database::empty();
    let pool = pool(&database.url, &[]);
    pool.check(within_ms(5000), process_after(0.0)).await.unwrap();
    let late = pool.check(within_ms(400), process_after(0.8)).await;
    let reason = "PostgreSQL does not answer".to_owned();
    assert_eq!(late, Err(Failure::Unavailable(Backend::PostgreSQL, reason)));
}

#[rocket::async_test]
async fn a_connection_that_answers_after_a_silence_of_another_is_kept() {
    let database = Database::empty();
    let pool = pool(&database.url, &[("DATABASE_POOL_SIZE", "2")]);
    pool.read(within_ms(5000), process_after(0.0)).await.unwrap();
    let slow = pool.read(within_ms(5000), process_after(0.8));
    let silent = pool.check(within_ms(400), process_after(0.6));
    let (slow, silent) = join!(slow, silent);
    silent.unwrap_err();
    let next = pool.check(within_ms(5000), process_after(0.0)).await;
    assert_eq!(next, slow);
}
