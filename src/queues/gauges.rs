//! Reads the gauges of the queues.
//!
//! A scrape reads a bounded number of queues, in pages. Up to [`MOST_LOOKS`] pages of queues are counted completely
//! by every scrape. More are counted by several scrapes, and the totals are those of
//! the last complete walk.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use rocket::tokio::sync::Mutex;
use rocket::tokio::time::{Instant, timeout_at};

use super::metrics::METRICS;
use super::store::totals::{self, Totals};
use crate::broker::Broker;
use crate::failure::Failure;
use crate::telemetry::scrape::AtScrape;

/// The maximum of pages per scrape.
const MOST_LOOKS: usize = 32;
/// When a scrape stops starting pages, and leaves the rest to the next scrape.
const ENOUGH: Duration = Duration::from_millis(200);

/// The gauges, and the progress of the walk.
pub(super) struct Gauges {
    broker: Broker,
    walk: Mutex<Walk>,
}

#[derive(Default)]
struct Walk {
    cursor: u64,
    totals: Totals,
    /// Hashes of the names: Redis may return one twice while their number changes.
    seen: HashSet<u64>,
    hashes: RandomState,
}

impl Gauges {
    /// NaN until the first walk has ended.
    pub(super) fn of(broker: &Broker) -> Self {
        METRICS.hide();
        Self {
            broker: broker.clone(),
            walk: Mutex::default(),
        }
    }

    async fn walk(&self, walk: &mut Walk) -> Result<(), Failure> {
        let enough = Instant::now() + ENOUGH;
        for _ in 0..MOST_LOOKS {
            if walk.step(&self.broker).await? {
                METRICS.show(&std::mem::take(walk).totals);
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
        // Another scrape is updating them already.
        let Ok(mut walk) = self.walk.try_lock() else {
            return;
        };
        if !matches!(timeout_at(by, self.walk(&mut walk)).await, Ok(Ok(()))) {
            *walk = Walk::default();
            METRICS.hide();
        }
    }
}

impl Walk {
    /// Reads one page; returns true at the end.
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

#[cfg(test)]
mod tests {
    use super::Walk;

    #[test]
    fn a_name_that_redis_returns_twice_counts_once() {
        let mut walk = Walk::default();
        for (told, counted) in [(["a", "b"], vec!["a", "b"]), (["b", "c"], vec!["c"])] {
            let mut names = told.map(str::to_owned).to_vec();
            walk.leave_out_seen(&mut names);
            assert_eq!(names, counted);
        }
    }
}
