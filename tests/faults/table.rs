//! The rows of the table: a dependency and its fault.

use std::fmt;

use self::Dependency::{Postgres, Provider, Redis, Service};
use self::Fault::{
    ClockSetBack, DiskFull, DiskFullEverysec, Drips, Freezes, Hangs, Killed, OutOfMemory, ReadOnly, Refuses,
    Resets, Restarted, Silent,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    Postgres,
    Redis,
    Provider,
    /// The machine that runs the service.
    Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Refuses,
    Silent,
    Freezes,
    Hangs,
    Resets,
    Drips,
    ReadOnly,
    OutOfMemory,
    DiskFull,
    DiskFullEverysec,
    Killed,
    Restarted,
    ClockSetBack,
}

pub type Row = (Dependency, Fault);

pub const TABLE: [Row; 30] = [
    (Postgres, Refuses),
    (Postgres, Silent),
    (Postgres, Freezes),
    (Postgres, Hangs),
    (Postgres, Resets),
    (Postgres, Drips),
    (Postgres, ReadOnly),
    (Postgres, DiskFull),
    (Postgres, Killed),
    (Postgres, Restarted),
    (Redis, Refuses),
    (Redis, Silent),
    (Redis, Freezes),
    (Redis, Hangs),
    (Redis, Resets),
    (Redis, Drips),
    (Redis, ReadOnly),
    (Redis, OutOfMemory),
    (Redis, DiskFull),
    (Redis, DiskFullEverysec),
    (Redis, Killed),
    (Redis, Restarted),
    (Redis, ClockSetBack),
    (Provider, Refuses),
    (Provider, Silent),
    (Provider, Freezes),
    (Provider, Hangs),
    (Provider, Resets),
    (Provider, Drips),
    (Service, ClockSetBack),
];

impl Dependency {
    pub fn name(self) -> &'static str {
        match self {
            Postgres => "PostgreSQL",
            Redis => "Redis",
            Provider => "The distance provider",
            Service => "The service",
        }
    }
}

impl Fault {
    /// Whether clients must notice it: without any refusal the fault had no effect.
    pub fn is_noticed(self) -> bool {
        !matches!(self, Freezes | Restarted | ClockSetBack)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refuses => "refuses connections",
            Silent => "accepts connections, never answers",
            Freezes => "freezes open connections",
            Hangs => "is paused, then resumed",
            Resets => "resets in mid-answer",
            Drips => "drips: 50 ms per byte",
            ReadOnly => "is read-only",
            OutOfMemory => "is out of memory",
            DiskFull => "disk is full",
            DiskFullEverysec => "disk is full (`appendfsync everysec`)",
            Killed => "is killed",
            Restarted => "is restarted",
            ClockSetBack => "clock is set back by an hour",
        })
    }
}
