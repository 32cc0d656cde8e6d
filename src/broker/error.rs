//! What can go wrong between us and Redis, told apart by what is known of the outcome.

use redis::{ErrorKind, RedisError};

use crate::error::ApiError;
use crate::lane::Refusal;

/// A command that brought no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// Nothing was done: there is no connection, or Redis refused.
    #[error("{0}")]
    Unavailable(String),
    /// Nothing was done: Redis is at its `maxmemory`.
    #[error("{0}")]
    Full(String),
    /// Nothing was done: too many requests wait already.
    #[error("{0}")]
    Overloaded(Refusal),
    /// The connection was lost, or the time was up, after a change was sent; or too few replicas have it.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// The answer is not of the kind that was expected, which is a bug of ours.
    #[error("{0}")]
    Bug(String),
}

impl BrokerError {
    /// What an error means after a command that may always be sent again.
    pub(super) fn after_read(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedReturnType | ErrorKind::Parse => Self::Bug(error.to_string()),
            // Somebody else's value under a key of ours: asking again does not help.
            _ if error.code() == Some("WRONGTYPE") => Self::Bug(error.to_string()),
            _ if error.code() == Some("OOM") => Self::Full(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }

    /// What an error means after a command that changes something.
    pub(super) fn after_write(error: &RedisError) -> Self {
        if error.is_io_error() || error.is_timeout() {
            return Self::OutcomeUnknown(error.to_string());
        }
        Self::after_read(error)
    }
}

impl From<Refusal> for BrokerError {
    fn from(refusal: Refusal) -> Self {
        Self::Overloaded(refusal)
    }
}

impl From<BrokerError> for ApiError {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(reason) => Self::RedisUnavailable(reason),
            BrokerError::Full(reason) => Self::BrokerFull(reason),
            BrokerError::Overloaded(_) => Self::Overloaded,
            BrokerError::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            BrokerError::Bug(reason) => Self::Internal(reason),
        }
    }
}
