//! Everything that can go wrong for a client: one closed enum → status, code, sentence.

/// A request that was not answered with success. `Display` gives the human sentence; the `String` of a
/// variant from 500 on is the reason for the log, which the sentence never shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The request line or a header is not HTTP.
    #[error("The request is malformed.")]
    BadRequest,
    /// The body is not JSON.
    #[error("The body is not JSON: {0}.")]
    InvalidJson(String),
    /// The body is JSON, but not the JSON that is asked for here.
    #[error("{0}")]
    InvalidBody(String),
    /// A member or parameter that has the right form but no possible value.
    #[error("{0}")]
    OutOfRange(String),
    /// `page`, `after` or `limit` is missing or wrong.
    #[error("{0}")]
    InvalidPage(String),
    /// The id in the path is no integer.
    #[error("The order id must be an integer.")]
    InvalidId,
    /// The provider knows no road between the two points.
    #[error("There is no route between the origin and the destination.")]
    NoRoute,
    /// The order is taken.
    #[error("Order {0} is already taken.")]
    OrderTaken(i64),
    /// Another request holds the order's row at this moment.
    #[error("Order {0} is being taken by another request right now.")]
    OrderLocked(i64),
    /// There is no such order to take.
    #[error("There is no order {0}.")]
    NothingToTake(String),
    /// There is no such order to show.
    #[error("There is no order {0}.")]
    OrderNotFound(String),
    /// Nothing is kept under the key.
    #[error("There is nothing under this key.")]
    KeyNotFound,
    /// The name in the path is none that a queue can have.
    #[error("The name of a queue must have 1 to 64 characters, each of a-z, 0-9 or a hyphen.")]
    InvalidName,
    /// Nobody has ever pushed to the queue.
    #[error("There is no queue {0}.")]
    QueueNotFound(String),
    /// The message is acknowledged, or somebody else has it by now, or there never was such a receipt.
    #[error("There is no message with this receipt any more.")]
    ReceiptNotFound,
    /// The token is missing or wrong.
    #[error("Unauthorized access!")]
    Unauthorized,
    /// No route has this path.
    #[error("There is nothing at this path.")]
    NotFound,
    /// The path is known, the method is not one of its own.
    #[error("This path answers {allow} only.")]
    MethodNotAllowed {
        /// The methods that it has, as in an `Allow` header.
        allow: String,
    },
    /// The body is larger than this route reads.
    #[error("The body is larger than the {limit} bytes that are read here.")]
    PayloadTooLarge {
        /// Bytes.
        limit: u64,
    },
    /// The method is none that anything here has.
    #[error("This method is not known here.")]
    UnknownMethod,
    /// The body did not arrive in time; nothing was done.
    #[error("The body did not arrive in time.")]
    RequestTimeout,
    /// PostgreSQL could not be reached or refused; nothing was done.
    #[error("The database cannot be reached right now; nothing was done, please try again.")]
    DatabaseUnavailable(String),
    /// Redis could not be reached or refused; nothing was done.
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
    /// The distance provider could not be reached or refused; nothing was done.
    #[error("The road distance cannot be looked up right now; nothing was done, please try again.")]
    DistanceUnavailable(String),
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
}

impl ApiError {
    /// The HTTP status and the stable word for programs.
    #[must_use]
    pub fn status_and_code(&self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "bad_request"),
            Self::InvalidJson(_) | Self::InvalidBody(_) => (400, "invalid_body"),
            Self::OutOfRange(_) => (400, "out_of_range"),
            Self::InvalidPage(_) => (400, "invalid_page"),
            Self::InvalidId => (400, "invalid_id"),
            Self::NoRoute => (400, "no_route"),
            Self::OrderTaken(_) => (400, "order_taken"),
            Self::OrderLocked(_) => (400, "order_locked"),
            Self::NothingToTake(_) => (400, "order_not_found"),
            Self::OrderNotFound(_) => (404, "order_not_found"),
            Self::KeyNotFound => (404, "key_not_found"),
            Self::InvalidName => (400, "invalid_name"),
            Self::QueueNotFound(_) => (404, "queue_not_found"),
            Self::ReceiptNotFound => (404, "receipt_not_found"),
            Self::Unauthorized => (401, "unauthorized"),
            Self::NotFound => (404, "not_found"),
            Self::MethodNotAllowed { .. } => (405, "method_not_allowed"),
            Self::PayloadTooLarge { .. } => (413, "payload_too_large"),
            Self::RequestTimeout => (408, "request_timeout"),
            Self::UnknownMethod => (501, "not_implemented"),
            Self::Internal(_) => (500, "internal_error"),
            Self::DatabaseUnavailable(_) => (503, "database_unavailable"),
            Self::RedisUnavailable(_) => (503, "redis_unavailable"),
            Self::BrokerFull(_) => (507, "broker_full"),
            Self::Overloaded => (503, "overloaded"),
            Self::OutcomeUnknown(_) => (503, "outcome_unknown"),
            Self::DistanceUnavailable(_) => (503, "distance_unavailable"),
            Self::Http { status, .. } => (*status, "http_error"),
        }
    }

    /// Why it is our side's failure, for the log.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::DatabaseUnavailable(reason)
            | Self::RedisUnavailable(reason)
            | Self::BrokerFull(reason)
            | Self::OutcomeUnknown(reason)
            | Self::DistanceUnavailable(reason)
            | Self::Internal(reason) => Some(reason),
            _ => None,
        }
    }

    /// Seconds after which the request may be sent again, for refusals that did nothing.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::DatabaseUnavailable(_)
            | Self::RedisUnavailable(_)
            | Self::BrokerFull(_)
            | Self::Overloaded
            | Self::DistanceUnavailable(_) => Some(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;

    #[test]
    fn only_refusals_that_did_nothing_may_be_sent_again() {
        let reason = || "FATAL: secret".to_owned();
        assert_eq!(ApiError::DatabaseUnavailable(reason()).retry_after(), Some(1));
        assert_eq!(ApiError::DistanceUnavailable(reason()).retry_after(), Some(1));
        assert_eq!(ApiError::BrokerFull(reason()).retry_after(), Some(1));
        assert_eq!(ApiError::Overloaded.retry_after(), Some(1));
        assert_eq!(ApiError::OutcomeUnknown(reason()).retry_after(), None);
        assert_eq!(ApiError::Internal(reason()).retry_after(), None);
    }

    #[test]
    fn the_sentence_of_a_5xx_says_nothing_about_the_inside() {
        let reason = || "FATAL: secret".to_owned();
        for error in [
            ApiError::DatabaseUnavailable(reason()),
            ApiError::BrokerFull(reason()),
            ApiError::OutcomeUnknown(reason()),
            ApiError::DistanceUnavailable(reason()),
            ApiError::Internal(reason()),
        ] {
            assert!(error.status_and_code().0 >= 500);
            assert!(!error.to_string().contains("secret"), "{error}");
            assert_eq!(error.reason(), Some("FATAL: secret"));
        }
    }

    #[test]
    fn taking_a_missing_order_is_the_clients_mistake_and_showing_it_is_not_found() {
        let id = || "7".to_owned();
        let taken = ApiError::NothingToTake(id()).status_and_code();
        let shown = ApiError::OrderNotFound(id()).status_and_code();
        assert_eq!(
            (taken, shown),
            ((400, "order_not_found"), (404, "order_not_found"))
        );
    }
}
