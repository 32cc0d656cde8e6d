//! What Prometheus is told of the reliable queues: totals and the worst of all, never names, which clients choose.
//!
//! A scrape walks through the queues, a bounded number of them, a few at a time. So up to [`MOST_LOOKS`] pages of
//! queues are counted anew at every scrape; more than that are counted by several scrapes, and the totals are those of
//! the last whole walk.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use rocket::tokio::sync::Mutex;
use rocket::tokio::time::{Instant, timeout_at};

use super::store::totals::{self, Totals};
use crate::broker::Broker;
use crate::failure::Failure;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::scrape::AtScrape;

/// Pages of names that one scrape looks at.
const MOST_LOOKS: usize = 32;
/// When a scrape stops to begin with another page, and leaves the rest to the next scrape.
const ENOUGH: Duration = Duration::from_millis(200);

/// The gauges, and how far the walk has come.
pub(super) struct Gauges {
    broker: Broker,
    walk: Mutex<Walk>,
}

#[derive(Default)]
struct Walk {
    cursor: u64,
    totals: Totals,
    /// Hashes of the names: Redis may tell one twice while their number changes.
    seen: HashSet<u64>,
    hashes: RandomState,
}

impl Gauges {
    /// Not a number until the first walk has ended.
    pub(super) fn of(broker: &Broker) -> Self {
        hide();
        Self {
            broker: broker.clone(),
            walk: Mutex::default(),
        }
    }

    async fn walk(&self, walk: &mut Walk) -> Result<(), Failure> {
        let enough = Instant::now() + ENOUGH;
        for _ in 0..MOST_LOOKS {
            if walk.step(&self.broker).await? {
                show(&std::mem::take(walk).totals);
                break;
            }
            if Instant::now() > enough {
                break;
            }
        }
        Ok(())
    }
}

#[rocket::async_trait]
impl AtScrape for Gauges {
    async fn renew(&self, by: Instant) {
        // Somebody else's scrape renews them already.
        let Ok(mut walk) = self.walk.try_lock() else {
            return;
        };
        if !matches!(timeout_at(by, self.walk(&mut walk)).await, Ok(Ok(()))) {
            *walk = Walk::default();
            hide();
        }
    }
}

impl Walk {
    /// Looks at one page; true at the end.
    async fn step(&mut self, broker: &Broker) -> Result<bool, Failure> {
        let (next, mut names) = totals::names(broker, self.cursor).await?;
        self.leave_out_seen(&mut names);
        totals::add(broker, &names, &mut self.totals).await?;
        self.cursor = next;
        Ok(next == 0)
    }

    fn leave_out_seen(&mut self, names: &mut Vec<String>) {
        names.retain(|name| self.seen.insert(self.hashes.hash_one(name)));
    }
}

fn show(totals: &Totals) {
    METRICS.reliable_queues.set(float(totals.queues));
    for (state, messages) in [
        ("ready", totals.ready),
        ("delayed", totals.delayed),
        ("in_flight", totals.in_flight),
        ("dead", totals.dead),
    ] {
        let gauge = METRICS.reliable_queue_messages.with_label_values(&[state]);
        gauge.set(float(messages));
    }
    METRICS
        .reliable_queue_dead_dropped
        .set(float(totals.dead_dropped));
    let oldest = Duration::from_micros(totals.oldest_age);
    METRICS.reliable_queue_oldest_age.set(oldest.as_secs_f64());
    let longest = totals.first_receipt.map_or(Duration::ZERO, since);
    METRICS
        .reliable_queue_longest_in_flight
        .set(longest.as_secs_f64());
}

/// None of them is known.
fn hide() {
    let messages = &METRICS.reliable_queue_messages;
    for state in ["ready", "delayed", "in_flight", "dead"] {
        messages.with_label_values(&[state]).set(f64::NAN);
    }
    for gauge in [
        &METRICS.reliable_queues,
        &METRICS.reliable_queue_dead_dropped,
        &METRICS.reliable_queue_oldest_age,
        &METRICS.reliable_queue_longest_in_flight,
    ] {
        gauge.set(f64::NAN);
    }
}

/// Since so many milliseconds after 1970, by the clock of this machine, as receipts are.
fn since(receipt: u64) -> Duration {
    let received = SystemTime::UNIX_EPOCH + Duration::from_millis(receipt);
    received.elapsed().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "Redis holds fewer than 2^52 messages")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::Walk;

    #[test]
    fn a_name_that_redis_tells_twice_counts_once() {
        let mut walk = Walk::default();
        for (told, counted) in [(["a", "b"], vec!["a", "b"]), (["b", "c"], vec!["c"])] {
            let mut names = told.map(str::to_owned).to_vec();
            walk.leave_out_seen(&mut names);
            assert_eq!(names, counted);
        }
    }
}
