//! The purpose of a statement, which decides what is known when it fails.

use diesel::result::Error;

use super::failure::{after_read, after_write, outcome_unknown, unavailable};
use crate::failure::Failure;

/// The purpose of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
    Check,
}

impl Kind {
    /// The meaning of an error of the statement.
    pub(super) fn failed(self, error: Error) -> Failure {
        match self {
            Self::Read | Self::Check => after_read(error),
            Self::Write => after_write(error),
        }
    }

    /// The failure of a statement that was sent and not answered.
    pub(super) fn no_answer(self) -> fn(String) -> Failure {
        match self {
            Self::Read | Self::Check => unavailable,
            Self::Write => outcome_unknown,
        }
    }
}
