//! Says once that the log cannot be written, where the log itself cannot say so.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A place of the log that may fail: standard output, or the directory whose files share this.
pub(super) struct Outage {
    place: String,
    failing: AtomicUsize,
}

impl Outage {
    pub(super) fn of(place: impl Display) -> Self {
        Self {
            place: place.to_string(),
            failing: AtomicUsize::new(0),
        }
    }

    /// One writer cannot write; the first of them says so on standard error, in one line.
    pub(super) fn begin(&self, error: &io::Error) {
        if self.failing.fetch_add(1, Ordering::AcqRel) == 0 {
            let line = format!(
                "order-api: the log cannot be written to {}: {error}\n",
                self.place
            );
            // `eprintln!` would panic where there is no standard error either.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    /// One writer can write again.
    pub(super) fn end(&self) {
        self.failing.fetch_sub(1, Ordering::AcqRel);
    }
}
