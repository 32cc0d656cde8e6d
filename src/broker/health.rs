//! Whether Redis accepts writes, without writing.

use std::sync::LazyLock;

use redis::RedisError;

use super::script::Script;

/// Redis refuses even this script if it would refuse a write: its first line does not declare it read-only.
pub(super) static PROBE: LazyLock<Script> = LazyLock::new(|| Script::new("#!lua\nreturn 1"));

/// Why Redis does not accept writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing answers.
    Down,
    /// It is a replica.
    ReadOnly,
    /// It is at its `maxmemory`.
    OutOfMemory,
    /// Its disk is full, or fails.
    CannotPersist,
    /// Fewer replicas follow than `min-replicas-to-write` requires.
    TooFewReplicas,
    /// It is loading its files.
    Loading,
}

impl Trouble {
    /// As in `checks` of `/healthcheck`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::ReadOnly => "read-only",
            Self::OutOfMemory => "out of memory",
            Self::CannotPersist => "cannot persist",
            Self::TooFewReplicas => "too few replicas",
            Self::Loading => "loading",
        }
    }

    pub(super) fn of(error: &RedisError) -> Self {
        match error.code() {
            Some("READONLY" | "MASTERDOWN") => Self::ReadOnly,
            Some("OOM") => Self::OutOfMemory,
            Some("MISCONF") => Self::CannotPersist,
            Some("NOREPLICAS") => Self::TooFewReplicas,
            Some("LOADING") => Self::Loading,
            _ => Self::Down,
        }
    }
}
