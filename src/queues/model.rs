//! Queues, messages and receipts.

use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;
use ulid::Ulid;

const LONGEST_NAME: usize = 64;

/// The maximum of a visibility timeout or delay in seconds: twelve hours.
pub(super) const LONGEST_VISIBILITY: u64 = 43_200;

/// `[a-z0-9-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct QueueName(String);

impl QueueName {
    /// None if it is not a valid name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_name = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed);
        is_name.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Proof of one delivery: the message's id, and a nonce that no other delivery has, not even after Redis has
/// lost its last second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) message: String,
    pub(super) nonce: String,
}

impl Receipt {
    /// None if it cannot be a receipt.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (message, nonce) = text.split_once('-')?;
        let is_id = (1..=20).contains(&message.len()) && message.bytes().all(|byte| byte.is_ascii_digit());
        let is_nonce = Ulid::from_string(nonce).is_ok();
        (is_id && is_nonce).then(|| Self {
            message: message.to_owned(),
            nonce: nonce.to_owned(),
        })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.message, self.nonce)
    }
}

/// The number of requested messages, and their visibility timeout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) max: u64,
    /// In seconds.
    pub(super) visibility: u64,
}

/// A received message.
#[derive(Debug, Serialize)]
pub(super) struct ReceivedMessage {
    pub(super) id: String,
    pub(super) message: String,
    pub(super) receipt: String,
    /// Deliveries, including this one.
    pub(super) attempts: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) enqueued_at: OffsetDateTime,
}

/// A message that was delivered too often.
#[derive(Debug, Serialize)]
pub(super) struct DeadLetter {
    pub(super) id: String,
    pub(super) message: String,
    pub(super) attempts: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) enqueued_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) dead_since: OffsetDateTime,
}

/// The number of messages of a queue, by state.
#[derive(Debug, Serialize)]
pub(super) struct Numbers {
    pub(super) name: String,
    pub(super) ready: u64,
    pub(super) delayed: u64,
    pub(super) in_flight: u64,
    pub(super) dead: u64,
    /// Dead letters that were dropped because there were too many.
    pub(super) dead_dropped: u64,
    /// The time since the push of the oldest ready message.
    pub(super) oldest_age_seconds: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::{QueueName, Receipt};

    #[test]
    fn names_are_short_and_plain() {
        for name in ["a", "0", "-", "order-mails-2", &"x".repeat(64)] {
            assert!(QueueName::parse(name).is_some(), "{name}");
        }
        for name in ["", "A", "a_b", "a.b", "a b", "ä", "a}", "a\n", &"x".repeat(65)] {
            assert!(QueueName::parse(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_receipt_is_an_id_and_a_nonce() {
        let text = "1764000000000000-01J00000000000000000000000";
        assert_eq!(Receipt::parse(text).unwrap().to_string(), text);
        for wrong in [
            "",
            "-",
            "1",
            "1-",
            "1-x",
            "x-01J00000000000000000000000",
            "1764000000000000",
        ] {
            assert_eq!(Receipt::parse(wrong), None, "{wrong}");
        }
    }
}
