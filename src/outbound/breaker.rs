//! A circuit breaker: a service that keeps failing is left alone but for one probe now and then.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio::time::Instant;

/// Failures in a row that open the circuit.
pub(super) const FAILURES: u32 = 5;
/// While it is open, one call as often as this: the first that succeeds closes it.
pub(super) const PROBE_EVERY: Duration = Duration::from_millis(500);

/// Counts failures in a row. Probes go by the clock and not by how the last one ended, so one that hangs, or whose
/// caller has gone, holds up no other.
pub(super) struct Breaker(Mutex<State>);

struct State {
    failures: u32,
    next_probe: Instant,
}

/// Why a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// The circuit is closed.
    Closed,
    /// It is open, and this call is to find out whether it may be closed.
    Probe,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            failures: 0,
            next_probe: Instant::now(),
        }))
    }

    /// Whether a call may be made now. Whoever is told [`Pass::Probe`] makes it.
    pub(super) fn pass(&self) -> Option<Pass> {
        let mut state = self.state();
        if state.failures < FAILURES {
            return Some(Pass::Closed);
        }
        let now = Instant::now();
        (state.next_probe <= now).then(|| {
            state.next_probe = now + PROBE_EVERY;
            Pass::Probe
        })
    }

    pub(super) fn succeeded(&self) {
        let failures = std::mem::take(&mut self.state().failures);
        if failures >= FAILURES {
            tracing::warn!("the circuit is closed: an HTTP service that failed answers again");
        }
    }

    pub(super) fn failed(&self) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if state.failures == FAILURES {
            state.next_probe = Instant::now() + PROBE_EVERY;
            tracing::warn!("the circuit is open: an HTTP service failed {FAILURES} times in a row");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocket::tokio;
    use rocket::tokio::time::advance;

    use super::Pass::{Closed, Probe};
    use super::{Breaker, FAILURES, PROBE_EVERY};

    fn open() -> Breaker {
        let breaker = Breaker::new();
        for _ in 0..FAILURES {
            assert_eq!(breaker.pass(), Some(Closed));
            breaker.failed();
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_the_circuit_and_a_success_between_does_not() {
        let breaker = Breaker::new();
        for _ in 0..3 {
            for _ in 1..FAILURES {
                breaker.failed();
            }
            breaker.succeeded();
        }
        assert_eq!(breaker.pass(), Some(Closed));
        assert_eq!(open().pass(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_circuit_lets_one_probe_through_at_a_time_whatever_became_of_the_last() {
        let breaker = open();
        for _ in 0..3 {
            advance(PROBE_EVERY - Duration::from_millis(1)).await;
            assert_eq!(breaker.pass(), None);
            advance(Duration::from_millis(1)).await;
            assert_eq!(breaker.pass(), Some(Probe));
            assert_eq!(breaker.pass(), None);
        }
        breaker.failed();
        assert_eq!(breaker.pass(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_success_closes_the_circuit() {
        let breaker = open();
        advance(PROBE_EVERY).await;
        assert_eq!(breaker.pass(), Some(Probe));
        breaker.succeeded();
        for _ in 1..FAILURES {
            breaker.failed();
            assert_eq!(breaker.pass(), Some(Closed));
        }
    }
}
