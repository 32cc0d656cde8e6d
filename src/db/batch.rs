//! Lanes whose batches are statements, and how they handle an error caused by one item.

use std::slice;

use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use tokio::time::Instant;

use super::Database;
use super::kind::Kind;
use super::sqlstate::may_concern_one_item;
use crate::failure::Failure;
use crate::lane::{Batch, Lane, Rules};

/// One statement for many items, with an answer for each, in the order of the items.
pub type Statement<I, T> = fn(&mut PgConnection, &[I]) -> QueryResult<Vec<T>>;

/// A lane for a statement that changes something and is its own transaction.
///
/// Must be called inside the async runtime.
pub fn write_lane<I, T>(name: &'static str, database: &Database, statement: Statement<I, T>) -> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    lane(Kind::Write, name, database, |_| (), 1, statement)
}

/// A lane for a statement that changes nothing.
///
/// Must be called inside the async runtime.
pub fn read_lane<I, T>(name: &'static str, database: &Database, statement: Statement<I, T>) -> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    lane(Kind::Read, name, database, |_| (), 1, statement)
}

/// A lane for a read whose answer is the same for equal items: they share it, if they waited before it began.
/// Different ones run concurrently, at most `side_by_side`; equal ones run one after another.
///
/// Must be called inside the async runtime.
pub fn shared_read_lane<I, T>(
    name: &'static str,
    database: &Database,
    side_by_side: usize,
    statement: fn(&mut PgConnection, I) -> QueryResult<T>,
) -> Lane<I, T>
where
    I: Copy + Eq + Send + Sync + 'static,
    T: Clone + Send + 'static,
{
    let shared = move |connection: &mut PgConnection, items: &[I]| match items {
        [item, ..] => Ok(vec![statement(connection, *item)?; items.len()]),
        [] => Ok(Vec::new()),
    };
    lane(Kind::Read, name, database, |item| *item, side_by_side, shared)
}

fn lane<I, T, K, S>(
    kind: Kind,
    name: &'static str,
    database: &Database,
    key: fn(&I) -> K,
    side_by_side: usize,
    statement: S,
) -> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
    K: Copy + Eq + Send + 'static,
    S: Fn(&mut PgConnection, &[I]) -> QueryResult<Vec<T>> + Copy + Send + Sync + 'static,
{
    let rules = Rules {
        name,
        key,
        bytes: |_| 0,
        side_by_side,
        patience: database.profile().patience,
        no_answer: kind.no_answer(),
    };
    let database = database.clone();
    Lane::new(rules, move |batch| {
        together_or_alone(database.clone(), kind, batch, statement)
    })
}

/// Runs the statement for all items at once. If PostgreSQL reported an error in a change, and so has rolled everything
/// back, each item runs alone, as its own statement: a bad one never fails its neighbours. Those that cannot begin in
/// time share the error.
async fn together_or_alone<I, T, S>(
    database: Database,
    kind: Kind,
    batch: Batch<I>,
    statement: S,
) -> Vec<Result<T, Failure>>
where
    I: Send + 'static,
    T: Send + 'static,
    S: Fn(&mut PgConnection, &[I]) -> QueryResult<Vec<T>> + Copy + Send + 'static,
{
    let Batch { items, begin_by } = batch;
    let number = items.len();
    let together = move |connection: &mut PgConnection| {
        let answers = statement(connection, &items).map_err(|error| (items, error));
        Ok(answers.map(|answers| answers.into_iter().map(Ok).collect::<Vec<_>>()))
    };
    let (items, error) = match database.run(kind, begin_by, together).await {
        Ok(Ok(answers)) if answers.len() == number => return answers,
        Ok(Ok(_)) => return failed(number, &miscounted()), // it has been executed
        Ok(Err(failed)) => failed,
        Err(failure) => return failed(number, &failure),
    };
    let alone = kind == Kind::Write && number > 1 && may_concern_one_item(&error);
    let failure = kind.failed(error);
    if !alone {
        return failed(number, &failure);
    }
    let mut answers = Vec::with_capacity(number);
    for item in items {
        if Instant::now() > begin_by {
            answers.push(Err(failure.clone()));
            continue;
        }
        let alone = move |connection: &mut PgConnection| statement(connection, slice::from_ref(&item));
        let answer = database.run(kind, begin_by, alone).await;
        answers.push(answer.and_then(|mut answer| answer.pop().ok_or_else(miscounted)));
    }
    answers
}

fn failed<T>(number: usize, failure: &Failure) -> Vec<Result<T, Failure>> {
    (0..number).map(|_| Err(failure.clone())).collect()
}

fn miscounted() -> Failure {
    Failure::Bug("a statement answered for more or fewer items".to_owned())
}
