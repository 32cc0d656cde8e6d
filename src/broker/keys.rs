//! Every key that the service has in Redis, by name.

use ulid::Ulid;

/// A list: the messages of `/api/queue`, the oldest first.
pub const MESSAGE_QUEUE: &str = "message_queue";

/// A string that expires: popped messages of one delivery are back in the queue. The hash tag keeps both together.
#[must_use]
pub fn put_back(delivery: Ulid) -> String {
    format!("queue:back:{{{MESSAGE_QUEUE}}}:{delivery}")
}

/// A string: the value that clients keep under `key`. The prefix keeps their keys apart from ours.
#[must_use]
pub fn key_value(key: &str) -> String {
    format!("kv:{key}")
}

/// A set: the names of all reliable queues that anyone has pushed to.
pub const RELIABLE_QUEUES: &str = "queues";

/// What a reliable queue consists of, in the order in which its scripts name them. The hash tag keeps all of it
/// on one node of a cluster. Times are in microseconds, and an id is the time of a push.
///
/// - `sequence`, a string: the last id that was given out; a queue is there once this is.
/// - `messages`, a hash: from ids to texts.
/// - `ready`, `delayed`, `in_flight`, sorted sets: ids by id, by the time they are due, by the time they expire.
/// - `deliveries`, a hash: from ids to the number of attempts and the nonce of the last one.
/// - `dead`, `dead_messages`, `dead_deliveries`: ids by the time they died, and the two hashes of these.
/// - `dead_totals`, a hash: `bytes` of the dead letters, and how many were `dropped` since there were too many.
/// - `clock`, a hash: the `last` time that was noted, and by how much the queue's time is `ahead` of Redis's clock.
#[must_use]
pub fn reliable_queue(name: &str) -> [String; 11] {
    [
        "sequence",
        "messages",
        "ready",
        "delayed",
        "in_flight",
        "deliveries",
        "dead",
        "dead_messages",
        "dead_deliveries",
        "dead_totals",
        "clock",
    ]
    .map(|part| format!("queue:{{{name}}}:{part}"))
}
