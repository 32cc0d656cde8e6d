//! A circuit breaker: while a service keeps failing, it gets only an occasional probe.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio::time::Instant;

/// Consecutive failures that open the circuit.
pub(super) const FAILURES: u32 = 5;
/// The interval of probes while it is open; the first success closes it.
pub(super) const PROBE_EVERY: Duration = Duration::from_millis(500);

/// Counts consecutive failures. Probes follow the clock and not the result of the last one, so one that hangs or whose
/// caller has gone does not delay others.
pub(super) struct Breaker(Mutex<State>);

struct State {
    failures: u32,
    next_probe: Instant,
}

/// Why a call is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// The circuit is closed.
    Closed,
    /// It is open, and this call is a probe.
    Probe,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            failures: 0,
            next_probe: Instant::now(),
        }))
    }

    /// Whether a call is allowed now. The caller that gets [`Pass::Probe`] must make it.
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
    async fn consecutive_failures_open_the_circuit_unless_one_succeeds() {
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
    async fn an_open_circuit_allows_one_probe_per_interval_whatever_the_last_result() {
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
