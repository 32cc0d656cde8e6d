//! Whether Redis takes writes, asked without writing.

use std::sync::LazyLock;

use redis::RedisError;

use super::script::Script;

/// Redis refuses even this where it would refuse a write: its first line does not say that it only reads.
pub(super) static PROBE: LazyLock<Script> = LazyLock::new(|| Script::new("#!lua\nreturn 1"));

/// Why Redis takes no writes; shown as it stands in `checks` of `/healthcheck`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nobody answers.
    #[error("down")]
    Down,
    /// It is a replica.
    #[error("read-only")]
    ReadOnly,
    /// It is at its `maxmemory`.
    #[error("out of memory")]
    OutOfMemory,
    /// Its disk is full, or fails.
    #[error("cannot persist")]
    CannotPersist,
    /// Fewer replicas follow than `min-replicas-to-write` asks for.
    #[error("too few replicas")]
    TooFewReplicas,
    /// It reads its files.
    #[error("loading")]
    Loading,
}

impl Trouble {
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
