//! The rule for keys in Redis: a feature's keys begin with a prefix of its own. So whatever follows, which may be a
//! client's own words, never reaches the key of another feature. The names live with their feature, in its `keys.rs`.

use std::fmt::Display;

/// The prefix of a feature's keys.
pub struct Prefix(pub &'static str);

impl Prefix {
    /// The key with this name.
    pub fn key(&self, name: impl Display) -> String {
        format!("{}:{name}", self.0)
    }
}
