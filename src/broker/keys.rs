//! The rule for Redis keys: each feature has its own prefix. So the rest of a key, which may come from a client,
//! never reaches the key of another feature. The names are in each feature's `keys.rs`.

use std::fmt::Display;

/// The prefix of a feature's keys.
pub struct Prefix(pub &'static str);

impl Prefix {
    /// The key with this name.
    pub fn key(&self, name: impl Display) -> String {
        format!("{}:{name}", self.0)
    }
}
