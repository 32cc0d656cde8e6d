//! The meaning of Diesel's errors, by what is known of the outcome.

use diesel::result::{DatabaseErrorKind, Error};

use super::sqlstate::is_disk_full;
use crate::failure::{Backend, Failure};

/// After a read, which can always be retried.
pub(super) fn after_read(error: Error) -> Failure {
    match error {
        Error::DatabaseError(kind, information) if may_pass(&kind) => {
            let reason = information.message().to_owned();
            if is_disk_full(&reason) {
                Failure::Full(Backend::PostgreSQL, reason)
            } else {
                unavailable(reason)
            }
        }
        bug => Failure::Bug(bug.to_string()),
    }
}

/// After a change that is its own transaction.
pub(super) fn after_write(error: Error) -> Failure {
    match error {
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            information,
        ) => outcome_unknown(information.message().to_owned()),
        reported => after_read(reported),
    }
}

/// Nothing was done.
pub(super) fn unavailable(reason: impl ToString) -> Failure {
    Failure::Unavailable(Backend::PostgreSQL, reason.to_string())
}

/// It may have been committed.
pub(super) fn outcome_unknown(reason: String) -> Failure {
    Failure::OutcomeUnknown(Backend::PostgreSQL, reason)
}

/// Whether the same statement can succeed later: true of every kind but those that a wrong row causes.
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

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error};

    use super::{Failure, after_read, after_write};

    #[test]
    fn the_known_outcome_decides() {
        use DatabaseErrorKind::{ClosedConnection, UniqueViolation, Unknown};
        let error = |kind, message: &str| Error::DatabaseError(kind, Box::new(message.to_owned()));
        let full = "could not extend file \"base/5/1\": No space left on device";
        assert!(matches!(after_write(error(Unknown, full)), Failure::Full(..)));
        let other = error(Unknown, "deadlock detected");
        assert!(matches!(after_write(other), Failure::Unavailable(..)));
        let wrong = error(UniqueViolation, "duplicate key");
        assert!(matches!(after_write(wrong), Failure::Bug(_)));
        let closed = || error(ClosedConnection, "server closed the connection unexpectedly");
        assert!(matches!(after_write(closed()), Failure::OutcomeUnknown(..)));
        assert!(matches!(after_read(closed()), Failure::Unavailable(..)));
    }
}
