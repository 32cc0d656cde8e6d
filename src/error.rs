//! The shape of a refusal, and the refusals that no feature owns: token, body, route, backend, overload.

use std::fmt;
use std::sync::Arc;

/// The client's part of a refusal in addition to the sentence, and the log's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The stable code for programs.
    pub code: &'static str,
    /// Seconds after which the request may be retried, for refusals that did nothing.
    pub retry_after: Option<u32>,
    /// The reason of our failure, for the log.
    pub reason: Option<&'a str>,
}

impl<'a> Shape<'a> {
    /// The client's mistake: nothing is logged.
    #[must_use]
    pub fn mistake(status: u16, code: &'static str) -> Self {
        debug_assert!(status < 500, "{code} is a failure, whose reason is logged");
        Self::unlogged(status, code)
    }

    fn unlogged(status: u16, code: &'static str) -> Self {
        Self {
            status,
            code,
            retry_after: None,
            reason: None,
        }
    }

    /// Our side's failure: its reason is logged.
    #[must_use]
    pub fn failure(status: u16, code: &'static str, reason: &'a str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::unlogged(status, code)
        }
    }

    /// Nothing was done: the request may be retried after a second.
    #[must_use]
    pub fn again(mut self) -> Self {
        self.retry_after = Some(1);
        self
    }
}

/// A refusal that a feature declares. `Display` gives the human sentence.
pub trait Refusal: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The parts of the refusal for the client and for the log.
    fn shape(&self) -> Shape<'_>;
}

impl<R: Refusal> From<R> for ApiError {
    fn from(refusal: R) -> Self {
        Self::Feature(Arc::new(refusal))
    }
}

/// A request that did not succeed. The `String` of a variant from 500 on is the reason for the log,
/// which the sentence never shows.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The request line or a header is not HTTP.
    #[error("The request is malformed.")]
    BadRequest,
    /// The body is not JSON.
    #[error("The body is not JSON: {0}.")]
    InvalidJson(String),
    /// The body is JSON, but not the expected JSON.
    #[error("{0}")]
    InvalidBody(String),
    /// A member or parameter of the right type but out of range.
    #[error("{0}")]
    OutOfRange(String),
    /// The token is missing or wrong.
    #[error("Unauthorized access!")]
    Unauthorized,
    /// No route has this path.
    #[error("There is nothing at this path.")]
    NotFound,
    /// The path is known, but the method is not allowed.
    #[error("This path answers {allow} only.")]
    MethodNotAllowed {
        /// The allowed methods, as in an `Allow` header.
        allow: String,
    },
    /// The body is larger than this route reads.
    #[error("The body is larger than the {limit} bytes that are read here.")]
    PayloadTooLarge {
        /// In bytes.
        limit: u64,
    },
    /// The method is unknown.
    #[error("This method is not known here.")]
    UnknownMethod,
    /// The body did not arrive in time; nothing was done.
    #[error("The body did not arrive in time.")]
    RequestTimeout,
    /// PostgreSQL was unreachable or refused; nothing was done.
    #[error("The database cannot be reached right now; nothing was done, please try again.")]
    DatabaseUnavailable(String),
    /// Redis was unreachable or refused; nothing was done.
    #[error("The broker cannot be reached right now; nothing was done, please try again.")]
    RedisUnavailable(String),
    /// Redis is at its `maxmemory`; nothing was done.
    #[error(
        "The broker's memory is full; nothing was done, please try again once messages have been received."
    )]
    BrokerFull(String),
    /// More requests wait than can be served in time; nothing was done.
    #[error("There is too much to do right now; nothing was done, please try again.")]
    Overloaded,
    /// The connection to PostgreSQL or Redis broke while the change was being committed.
    #[error("The connection broke while the change was being saved; look before you try again.")]
    OutcomeUnknown(String),
    /// A bug of ours.
    #[error("Something went wrong on our side.")]
    Internal(String),
    /// Any other refusal of the HTTP layer, by its status.
    #[error("{reason}.")]
    Http {
        /// The status, 400 to 599.
        status: u16,
        /// Its standard reason phrase.
        reason: &'static str,
    },
    /// A refusal declared by a feature.
    #[error("{0}")]
    Feature(Arc<dyn Refusal>),
}

impl ApiError {
    /// The parts of the refusal for the client and for the log.
    #[must_use]
    pub fn shape(&self) -> Shape<'_> {
        match self {
            Self::BadRequest => Shape::mistake(400, "bad_request"),
            Self::InvalidJson(_) | Self::InvalidBody(_) => Shape::mistake(400, "invalid_body"),
            Self::OutOfRange(_) => Shape::mistake(400, "out_of_range"),
            Self::Unauthorized => Shape::mistake(401, "unauthorized"),
            Self::NotFound => Shape::mistake(404, "not_found"),
            Self::MethodNotAllowed { .. } => Shape::mistake(405, "method_not_allowed"),
            Self::RequestTimeout => Shape::mistake(408, "request_timeout"),
            Self::PayloadTooLarge { .. } => Shape::mistake(413, "payload_too_large"),
            // The client's mistake, whatever its status.
            Self::UnknownMethod => Shape::unlogged(501, "not_implemented"),
            // Only counted: a log line for each would add to the load.
            Self::Overloaded => Shape::unlogged(503, "overloaded").again(),
            Self::Internal(reason) => Shape::failure(500, "internal_error", reason),
            Self::DatabaseUnavailable(reason) => Shape::failure(503, "database_unavailable", reason).again(),
            Self::RedisUnavailable(reason) => Shape::failure(503, "redis_unavailable", reason).again(),
            Self::BrokerFull(reason) => Shape::failure(507, "broker_full", reason).again(),
            Self::OutcomeUnknown(reason) => Shape::failure(503, "outcome_unknown", reason),
            Self::Http { status, .. } if *status < 500 => Shape::mistake(*status, "http_error"),
            Self::Http { status, reason } => Shape::failure(*status, "http_error", reason),
            Self::Feature(refusal) => refusal.shape(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;

    #[test]
    fn only_refusals_that_did_nothing_may_be_retried() {
        let reason = || "FATAL: secret".to_owned();
        let retry_after = |error: ApiError| error.shape().retry_after;
        assert_eq!(retry_after(ApiError::DatabaseUnavailable(reason())), Some(1));
        assert_eq!(retry_after(ApiError::BrokerFull(reason())), Some(1));
        assert_eq!(retry_after(ApiError::Overloaded), Some(1));
        assert_eq!(retry_after(ApiError::OutcomeUnknown(reason())), None);
        assert_eq!(retry_after(ApiError::Internal(reason())), None);
    }

    #[test]
    fn the_sentence_of_a_5xx_says_nothing_about_the_inside() {
        let reason = || "FATAL: secret".to_owned();
        for error in [
            ApiError::DatabaseUnavailable(reason()),
            ApiError::RedisUnavailable(reason()),
            ApiError::BrokerFull(reason()),
            ApiError::OutcomeUnknown(reason()),
            ApiError::Internal(reason()),
        ] {
            assert!(error.shape().status >= 500);
            assert!(!error.to_string().contains("secret"), "{error}");
            assert_eq!(error.shape().reason, Some("FATAL: secret"));
        }
    }
}
