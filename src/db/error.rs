//! What can go wrong between us and PostgreSQL, told apart by what is known of the outcome.

use diesel::result::{DatabaseErrorKind, Error};

use crate::error::ApiError;
use crate::lane::Refusal;

/// A statement that brought no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// Nothing was done: there is no connection, or the transaction was rolled back.
    #[error("{0}")]
    Unavailable(String),
    /// Nothing was done: too many requests wait already.
    #[error("{0}")]
    Overloaded(Refusal),
    /// The connection was lost after a change was sent and before its commit was confirmed.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// The statement itself is wrong, which is a bug of ours.
    #[error("{0}")]
    Bug(String),
}

impl DatabaseError {
    /// What an error means after a read: it can always be tried again.
    #[must_use]
    pub fn after_read(error: Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) if may_pass(&kind) => {
                Self::Unavailable(information.message().to_owned())
            }
            bug => Self::Bug(bug.to_string()),
        }
    }

    /// What an error means after a change that commits by itself.
    #[must_use]
    pub fn after_write(error: Error) -> Self {
        match error {
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                information,
            ) => Self::OutcomeUnknown(information.message().to_owned()),
            reported => Self::after_read(reported),
        }
    }
}

/// Whether the same statement can succeed later: true of all but the kinds that a wrong row brings about.
fn may_pass(kind: &DatabaseErrorKind) -> bool {
    !matches!(
        kind,
        DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::ExclusionViolation
            | DatabaseErrorKind::RestrictViolation
    )
}

impl From<Refusal> for DatabaseError {
    fn from(refusal: Refusal) -> Self {
        Self::Overloaded(refusal)
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(reason) => Self::DatabaseUnavailable(reason),
            DatabaseError::Overloaded(_) => Self::Overloaded,
            DatabaseError::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            DatabaseError::Bug(reason) => Self::Internal(reason),
        }
    }
}
