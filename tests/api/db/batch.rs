//! The fate of a batch's items when their statement fails.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Double, Integer};
use order_api::db::Database as Pool;
use order_api::db::batch::{Statement, write_lane};
use order_api::failure::Failure;
use order_api::lane::Lane;
use rocket::futures::future::join_all;

use super::{pool, process_after, within_ms};
use crate::support::Database;

#[derive(QueryableByName)]
struct Quotient {
    #[diesel(sql_type = Integer)]
    quotient: i32,
}

/// Divides ten by each. A zero fails the statement after a tenth of a second.
fn divide(connection: &mut PgConnection, numbers: &[i32]) -> QueryResult<Vec<i32>> {
    let divide = "SELECT 10 / n AS quotient FROM pg_sleep(0.1), unnest($1) WITH ORDINALITY AS item (n, place)
                  ORDER BY place";
    let rows = sql_query(divide).bind::<Array<Integer>, _>(numbers.to_vec());
    let rows: Vec<Quotient> = rows.load(connection)?;
    Ok(rows.into_iter().map(|row| row.quotient).collect())
}

/// Takes the sum of all items in seconds.
fn sleep(connection: &mut PgConnection, seconds: &[f64]) -> QueryResult<Vec<f64>> {
    let sleep = sql_query("SELECT pg_sleep($1)").bind::<Double, _>(seconds.iter().sum::<f64>());
    sleep.execute(connection)?;
    Ok(seconds.to_vec())
}

/// Records each, and omits the last answer.
fn note(connection: &mut PgConnection, numbers: &[i32]) -> QueryResult<Vec<i32>> {
    let note = sql_query("INSERT INTO noted SELECT unnest($1)");
    note.bind::<Array<Integer>, _>(numbers.to_vec())
        .execute(connection)?;
    Ok(numbers[1..].to_vec())
}

/// The answers to these items, requested together in a lane with this statement.
async fn ask<I, T, const N: usize>(
    pool: &Pool,
    statement: Statement<I, T>,
    items: [I; N],
) -> Vec<Result<T, Failure>>
where
    I: Send + 'static,
    T: Send + 'static,
{
    let lane: Lane<I, T> = write_lane("test", pool, statement);
    join_all(items.map(|item| lane.ask(item))).await
}

/// A pool with this statement timeout, in milliseconds.
fn limited(database: &Database, time_limit: &str) -> Pool {
    pool(&database.url, &[("DATABASE_STATEMENT_TIMEOUT_MS", time_limit)])
}

fn is_unavailable<T>(answer: &Result<T, Failure>) -> bool {
    matches!(answer, Err(Failure::Unavailable(..)))
}

#[rocket::async_test]
async fn a_failing_item_does_not_affect_its_neighbours() {
    let answers = ask(&limited(&Database::empty(), "1000"), divide, [1, 2, 0, 5]).await;
    assert!(is_unavailable(&answers[2]), "{answers:?}");
    let others = [&answers[0], &answers[1], &answers[3]];
    assert_eq!(others, [&Ok(10), &Ok(5), &Ok(2)]);
}

#[rocket::async_test]
async fn items_run_alone_until_their_deadline() {
    let mut numbers = [1; 40];
    numbers[1] = 0;
    let answers = ask(&limited(&Database::empty(), "5000"), divide, numbers).await;
    assert_eq!(answers[2], Ok(10));
    assert!(is_unavailable(&answers[39]), "{answers:?}");
}

#[rocket::async_test]
async fn items_that_run_alone_beyond_the_statement_timeout_are_not_a_silence() {
    let database = Database::empty();
    let pool = pool(&database.url, &[("DATABASE_POOL_SIZE", "1")]);
    let process = pool.read(within_ms(5000), process_after(0.0)).await.unwrap();
    let mut numbers = [1; 40];
    numbers[1] = 0;
    for answer in ask(&pool, divide, numbers).await {
        assert!(answer == Ok(10) || is_unavailable(&answer), "{answer:?}");
    }
    let next = pool.read(within_ms(5000), process_after(0.0)).await;
    assert_eq!(next, Ok(process));
}

#[rocket::async_test]
async fn a_batch_that_timed_out_is_not_retried() {
    // However they are batched, each batch takes too long.
    let answers = ask(&limited(&Database::empty(), "300"), sleep, [9.0, 0.0, 0.0, 9.0]).await;
    assert!(answers.iter().all(is_unavailable), "{answers:?}");
}

#[rocket::async_test]
async fn an_executed_batch_is_not_run_again_when_answers_are_missing() {
    let database = Database::empty();
    let table = "CREATE TABLE noted (number integer)";
    sql_query(table).execute(&mut database.connect()).unwrap();
    let answers = ask(&limited(&database, "1000"), note, [1, 2, 3]).await;
    for answer in answers {
        assert!(matches!(answer, Err(Failure::Bug(_))), "{answer:?}");
    }
    assert_eq!(database.number("SELECT count(*) AS number FROM noted"), 3);
}
