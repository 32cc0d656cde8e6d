//! Statements whose requests are gone when their turn comes.

use std::sync::mpsc;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use order_api::db::Database as Pool;
use order_api::failure::Failure;
use rocket::futures::FutureExt;
use rocket::tokio::runtime::Builder;
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::Instant;

use super::{pool, within_ms};
use crate::support::Database;

fn note(connection: &mut PgConnection) -> QueryResult<()> {
    connection.batch_execute("INSERT INTO noted VALUES (1)")
}

/// Sends a request while the only thread for statements is held, and returns the number of notes after it is free.
fn notes_after(ask: impl AsyncFnOnce(&Pool)) -> i64 {
    let database = Database::empty();
    let table = "CREATE TABLE noted (number integer)";
    database.connect().batch_execute(table).unwrap();
    let one_thread = Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build();
    one_thread.unwrap().block_on(async {
        let pool = pool(&database.url, &[("DATABASE_STATEMENT_TIMEOUT_MS", "300")]);
        pool.write(within_ms(5000), note).await.unwrap(); // so that a connection exists
        let (free, held) = mpsc::channel::<()>();
        spawn_blocking(move || held.recv());
        ask(&pool).await;
        free.send(()).unwrap();
        pool.write(within_ms(5000), note).await.unwrap(); // its turn comes after that of the request
    });
    database.number("SELECT count(*) AS number FROM noted")
}

#[test]
fn a_change_without_a_thread_in_time_is_refused_and_never_made() {
    let notes = notes_after(async |pool: &Pool| {
        let refused = pool.write(Instant::now(), note).await;
        assert!(matches!(refused, Err(Failure::Unavailable(..))), "{refused:?}");
    });
    assert_eq!(notes, 2);
}

#[test]
fn a_change_whose_request_is_dropped_before_it_begins_is_never_made() {
    let notes = notes_after(async |pool: &Pool| {
        let dropped = pool.write(within_ms(5000), note).now_or_never();
        assert_eq!(dropped, None);
    });
    assert_eq!(notes, 2);
}
