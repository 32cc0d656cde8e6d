//! Lanes whose batches are statements, and what to do when one fails for the sake of one item.

use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use rocket::tokio::time::Instant;

use super::Database;
use super::failure::{after_write, outcome_unknown, unavailable};
use super::sqlstate::{is_canceled, is_of_the_server};
use crate::failure::Failure;
use crate::lane::{Batch, Lane, PATIENCE, Rules};

/// One statement for many items, with an answer for each in the items' order.
pub type Statement<I, T> = fn(&mut PgConnection, &[I]) -> QueryResult<Vec<T>>;

/// A lane for a statement that changes something and commits by itself.
///
/// To be called inside the async runtime.
pub fn write_lane<I, T>(name: &'static str, database: &Database, statement: Statement<I, T>) -> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    let rules = Rules {
        name,
        key: |_| (),
        bytes: |_| 0,
        side_by_side: 1,
        no_answer: outcome_unknown,
    };
    let database = database.clone();
    Lane::new(rules, move |Batch { items, begin_by }| {
        let database = database.clone();
        async move {
            let number = items.len();
            let work = move |connection: &mut PgConnection| {
                Ok(together_or_alone(
                    connection,
                    &items,
                    statement,
                    begin_by + PATIENCE,
                ))
            };
            let done = database.write(begin_by, work).await;
            done.unwrap_or_else(|error| failed(number, &error))
        }
    })
}

/// A lane for a statement that changes nothing.
///
/// To be called inside the async runtime.
pub fn read_lane<I, T>(name: &'static str, database: &Database, statement: Statement<I, T>) -> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    let rules = Rules {
        name,
        key: |_| (),
        bytes: |_| 0,
        side_by_side: 1,
        no_answer: unavailable,
    };
    let database = database.clone();
    Lane::new(rules, move |Batch { items, begin_by }| {
        let database = database.clone();
        async move {
            let number = items.len();
            let work = move |connection: &mut PgConnection| statement(connection, &items);
            match database.read(begin_by, work).await {
                Ok(answers) => answers.into_iter().map(Ok).collect(),
                Err(error) => failed(number, &error),
            }
        }
    })
}

/// A lane for a read whose answer is the same for all who ask for the same: they share it, if they waited
/// before it began. Different ones run beside each other, `side_by_side` at most; equal ones, one after the other.
///
/// To be called inside the async runtime.
pub fn shared_read_lane<I, T>(
    name: &'static str,
    database: &Database,
    side_by_side: usize,
    statement: fn(&mut PgConnection, I) -> QueryResult<T>,
) -> Lane<I, T>
where
    I: Copy + Eq + Send + 'static,
    T: Clone + Send + 'static,
{
    let rules = Rules {
        name,
        key: |item| *item,
        bytes: |_| 0,
        side_by_side,
        no_answer: unavailable,
    };
    let database = database.clone();
    Lane::new(rules, move |Batch { items, begin_by }| {
        let database = database.clone();
        async move {
            let Some(&item) = items.first() else {
                return Vec::new();
            };
            let work = move |connection: &mut PgConnection| statement(connection, item);
            let answer = database.read(begin_by, work).await;
            vec![answer; items.len()]
        }
    })
}

fn failed<T>(number: usize, error: &Failure) -> Vec<Result<T, Failure>> {
    (0..number).map(|_| Err(error.clone())).collect()
}

/// Runs `statement` for all items at once. Where PostgreSQL reported an error, and so has rolled everything
/// back, each item runs alone, so that a bad one never fails its neighbours. What was given up for its time
/// is not tried again, nor is a connection that was lost on the way: nobody knows what was committed.
fn together_or_alone<I, T>(
    connection: &mut PgConnection,
    items: &[I],
    statement: Statement<I, T>,
    retry_until: Instant,
) -> Vec<Result<T, Failure>> {
    let error = match statement(connection, items) {
        Ok(answers) if answers.len() == items.len() => {
            return answers.into_iter().map(Ok).collect();
        }
        Ok(_) => {
            let reason = "a statement answered for more or fewer items".to_owned();
            return failed(items.len(), &Failure::Bug(reason)); // it has been carried out
        }
        Err(error) => error,
    };
    let again = items.len() > 1 && !is_canceled(&error) && !is_of_the_server(&error);
    let error = after_write(error);
    if !again || matches!(error, Failure::OutcomeUnknown(..)) {
        return failed(items.len(), &error);
    }
    let alone = |item| {
        if Instant::now() > retry_until {
            return vec![Err(error.clone())];
        }
        together_or_alone(connection, item, statement, retry_until)
    };
    items.chunks(1).flat_map(alone).collect()
}
