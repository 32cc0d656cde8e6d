//! The Redis keys of the values that clients store.

use crate::broker::Prefix;

const VALUES: Prefix = Prefix("kv");

/// A string: the value that clients store under `key`.
pub(super) fn value(key: &str) -> String {
    VALUES.key(key)
}
