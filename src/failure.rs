//! How a request to a backend fails, by what is known of the outcome.

use crate::error::ApiError;

/// The backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `src/db/`.
    PostgreSQL,
    /// `src/broker/`.
    Redis,
}

/// A statement or command without a result; the string is the reason for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was done: there is no connection, or the backend refused and rolled back.
    #[error("{1}")]
    Unavailable(Backend, String),
    /// Nothing was done: the backend is out of disk space, or at its `maxmemory`.
    #[error("{1}")]
    Full(Backend, String),
    /// Nothing was done: too many requests wait already.
    #[error("{0}")]
    Overloaded(Overload),
    /// A change was sent, and its commit was not confirmed; or too few replicas have it.
    #[error("{1}")]
    OutcomeUnknown(Backend, String),
    /// The statement is wrong, or its result is not of the expected type: a bug of ours.
    #[error("{0}")]
    Bug(String),
}

/// Why a request was refused before anything was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overload {
    /// The maximum of requests waits already.
    #[error("too many requests wait already")]
    Full,
    /// Its turn did not come in time.
    #[error("it waited too long")]
    Late,
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(Backend::PostgreSQL, reason)
            | Failure::Full(Backend::PostgreSQL, reason) => Self::DatabaseUnavailable(reason),
            Failure::Unavailable(Backend::Redis, reason) => Self::RedisUnavailable(reason),
            Failure::Full(Backend::Redis, reason) => Self::BrokerFull(reason),
            Failure::Overloaded(_) => Self::Overloaded,
            Failure::OutcomeUnknown(_, reason) => Self::OutcomeUnknown(reason),
            Failure::Bug(reason) => Self::Internal(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiError, Backend, Failure};

    #[test]
    fn each_backend_has_its_own_codes() {
        let code = |failure| ApiError::from(failure).shape().code;
        for (backend, unavailable, full) in [
            (
                Backend::PostgreSQL,
                "database_unavailable",
                "database_unavailable",
            ),
            (Backend::Redis, "redis_unavailable", "broker_full"),
        ] {
            let reason = || "timed out".to_owned();
            assert_eq!(code(Failure::Unavailable(backend, reason())), unavailable);
            assert_eq!(code(Failure::Full(backend, reason())), full);
            assert_eq!(
                code(Failure::OutcomeUnknown(backend, reason())),
                "outcome_unknown"
            );
        }
    }
}
