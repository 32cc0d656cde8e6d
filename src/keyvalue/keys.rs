//! The keys in Redis of the values that clients keep.

use crate::broker::Prefix;

const VALUES: Prefix = Prefix("kv");

/// A string: the value that clients keep under `key`.
pub(super) fn value(key: &str) -> String {
    VALUES.key(key)
}
