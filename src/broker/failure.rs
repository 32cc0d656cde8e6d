//! The meaning of Redis's errors, by what is known of the outcome.

use redis::{ErrorKind, RedisError};

use crate::failure::{Backend, Failure};

/// After a command that can always be retried.
pub(super) fn after_read(error: &RedisError) -> Failure {
    let reason = error.to_string();
    match error.kind() {
        ErrorKind::UnexpectedReturnType | ErrorKind::Parse => Failure::Bug(reason),
        // A foreign value under one of our keys: retrying does not help.
        _ if error.code() == Some("WRONGTYPE") => Failure::Bug(reason),
        _ if error.code() == Some("OOM") => Failure::Full(Backend::Redis, reason),
        _ => Failure::Unavailable(Backend::Redis, reason),
    }
}

/// After a command that changes something.
pub(super) fn after_write(error: &RedisError) -> Failure {
    if error.is_io_error() || error.is_timeout() {
        return outcome_unknown(error.to_string());
    }
    after_read(error)
}

/// It may have been executed.
pub fn outcome_unknown(reason: String) -> Failure {
    Failure::OutcomeUnknown(Backend::Redis, reason)
}
