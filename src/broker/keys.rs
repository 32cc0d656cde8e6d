//! Every key that the service has in Redis, by name.

/// A list: the messages of `/api/queue`, the oldest first.
pub const MESSAGE_QUEUE: &str = "message_queue";

/// A string: the value that clients keep under `key`. The prefix keeps their keys apart from ours.
#[must_use]
pub fn key_value(key: &str) -> String {
    format!("kv:{key}")
}
