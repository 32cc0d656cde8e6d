//! Which hosts are tried, when, and how long a caller waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connect::ConnectError;

/// How long a caller waits for an attempt.
const ANSWER_WITHIN: Duration = Duration::from_millis(400);
/// The head start of the last host before the others are tried, too.
const HEAD_START: Duration = Duration::from_millis(100);

/// A caller, and the attempts that are made for it.
pub(super) struct Race {
    began: Instant,
    /// All hosts are tried in parallel, and each gets a moment.
    survey: bool,
    /// The hosts that are left to try.
    hosts: VecDeque<usize>,
    started: usize,
    next_start: Instant,
    pub(super) outcome: Arc<Mutex<Outcome>>,
}

/// The results of a caller's attempts; changed under the connector's lock.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) ended: usize,
    failed: usize,
    pub(super) error: Option<ConnectError>,
}

impl Race {
    pub(super) fn new(hosts: usize, preferred: usize, survey: bool) -> Self {
        let began = Instant::now();
        let mut hosts: VecDeque<usize> = (0..hosts).collect();
        hosts.rotate_left(preferred);
        Self {
            began,
            survey,
            hosts,
            started: 0,
            next_start: began,
            outcome: Arc::default(),
        }
    }

    /// Whether a success may be used at once: in a survey another host may be better.
    pub(super) fn is_settled(&self, now: Instant) -> bool {
        let all = self.hosts.is_empty() && lock(&self.outcome).ended >= self.started;
        !self.survey || all || now >= self.began + HEAD_START
    }

    /// The host to try now.
    pub(super) fn next_host(&mut self, now: Instant) -> Option<usize> {
        let alone = lock(&self.outcome).failed >= self.started;
        if !(self.survey || alone || now >= self.next_start) {
            return None;
        }
        let host = self.hosts.pop_front()?;
        self.started += 1;
        self.next_start = now + HEAD_START;
        Some(host)
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        let failed = self.hosts.is_empty() && lock(&self.outcome).failed >= self.started;
        failed || now >= self.began + ANSWER_WITHIN
    }

    /// When to check again even if no attempt has ended.
    pub(super) fn wake(&self, now: Instant) -> Instant {
        if !self.is_settled(now) {
            self.began + HEAD_START
        } else if self.hosts.is_empty() {
            self.began + ANSWER_WITHIN
        } else {
            self.next_start
        }
    }
}

impl Outcome {
    pub(super) fn fail(&mut self, error: ConnectError) {
        self.ended += 1;
        self.failed += 1;
        self.error = Some(error);
    }
}

/// Code that holds one of these locks does not panic, and their content is valid at any time.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
