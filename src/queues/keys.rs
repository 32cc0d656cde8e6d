//! The Redis keys of the queues.

use super::model::QueueName;
use crate::broker::Prefix;

const QUEUE: Prefix = Prefix("queue");

/// A set: the names of all queues that have ever been pushed to.
pub(super) const NAMES: &str = "queues";

/// The keys of a queue, in the order of their names in its scripts. The hash tag keeps all of them
/// on one node of a cluster. Times are in microseconds, and an id is the time of a push.
///
/// - `sequence`, a string: the last assigned id; a queue exists once this does.
/// - `messages`, a hash: from ids to texts.
/// - `ready`, `delayed`, `in_flight`, sorted sets: ids by id, by the time they are due, by the time they expire.
/// - `deliveries`, a hash: from ids to the number of attempts and the nonce of the last one.
/// - `dead`, `dead_messages`, `dead_deliveries`: ids by the time they died, and the two hashes of these.
/// - `dead_totals`, a hash: `bytes` of the dead letters, and the number `dropped` because there were too many.
/// - `clock`, a hash: the `last` recorded time, and by how much the queue's time is `ahead` of Redis's clock.
pub(super) fn queue(name: &QueueName) -> [String; 11] {
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
    .map(|part| QUEUE.key(format_args!("{{{}}}:{part}", name.as_str())))
}
