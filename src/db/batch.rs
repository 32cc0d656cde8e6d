//! One statement for many items, and what to do when it fails for the sake of one of them.

use diesel::pg::PgConnection;
use diesel::result::QueryResult;

use super::DatabaseError;

/// What came of each item of a batch, in the items' order.
pub type Outcomes<T> = Vec<Result<T, DatabaseError>>;

/// Runs `statement` for all items at once. Where PostgreSQL reported an error, and so has rolled everything
/// back, each item runs alone, so that a bad one never fails its neighbours. A connection that was lost on
/// the way is not tried again: nobody knows what was committed.
pub fn together_or_alone<I, T>(
    connection: &mut PgConnection,
    items: &[I],
    statement: fn(&mut PgConnection, &[I]) -> QueryResult<Vec<T>>,
) -> Outcomes<T> {
    let error = match statement(connection, items) {
        Ok(answers) if answers.len() == items.len() => {
            return answers.into_iter().map(Ok).collect();
        }
        Ok(_) => DatabaseError::Bug("a statement answered for more or fewer items".to_owned()),
        Err(error) => DatabaseError::after_write(error),
    };
    if items.len() < 2 || matches!(error, DatabaseError::OutcomeUnknown(_)) {
        return items.iter().map(|_| Err(error.clone())).collect();
    }
    items
        .chunks(1)
        .flat_map(|alone| together_or_alone(connection, alone, statement))
        .collect()
}

/// The outcome of a batch of one.
///
/// # Errors
/// That of its item.
pub fn only<T>(mut outcomes: Outcomes<T>) -> Result<T, DatabaseError> {
    outcomes
        .pop()
        .unwrap_or_else(|| Err(DatabaseError::Bug("a batch of one has no outcome".to_owned())))
}
