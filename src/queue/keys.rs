//! The Redis keys of the plain queue.

use ulid::Ulid;

use crate::broker::Prefix;

const BACK: Prefix = Prefix("queue:back");

/// A list: the messages of `/api/queue`, the oldest first.
pub(super) const MESSAGES: &str = "message_queue";

/// A string that expires: popped messages of one delivery are back in the queue. The hash tag keeps both together.
pub(super) fn put_back(delivery: Ulid) -> String {
    BACK.key(format_args!("{{{MESSAGES}}}:{delivery}"))
}
