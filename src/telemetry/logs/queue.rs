//! Lines on their way to one place of the log.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that wait at most: those of a fifth of a second at 90,000 requests a second; what comes then is lost and counted.
pub(super) const QUEUE_MAX: usize = 4 * 1024 * 1024;

/// Whole lines, one behind the other: a line costs a copy of its bytes, and the place takes all of them at once.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    refused: usize,
    closed: bool,
}

impl Queue {
    /// Adds a line, if there is room for it; never waits for the place.
    pub(super) fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > QUEUE_MAX {
            waiting.refused += 1;
            return;
        }
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.news.notify_one();
        }
    }

    /// Swaps what waits for `taken`, which is empty, as soon as something does. False: nothing will any more.
    pub(super) fn take(&self, taken: &mut Vec<u8>) -> bool {
        let nothing = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.closed;
        let waiting = self.news.wait_while(self.lock(), nothing);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        mem::swap(taken, &mut waiting.lines);
        !taken.is_empty()
    }

    /// No more lines will come.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    /// Lines that there was no room for, since the start.
    pub(super) fn refused(&self) -> usize {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
