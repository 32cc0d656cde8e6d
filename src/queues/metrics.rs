//! The metrics of the queues: totals and maxima, never names, which clients choose.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rocket_prometheus::prometheus::{Gauge, GaugeVec};

use super::store::totals::Totals;
use crate::telemetry::metrics::{gauge, gauges};

pub(crate) struct Metrics {
    queues: Gauge,
    messages: GaugeVec,
    oldest_age: Gauge,
    longest_in_flight: Gauge,
    dead_dropped: Gauge,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    queues: gauge(
        "order_api_reliable_queues",
        "Queues with receipts. This and the other metrics of them are the same on every instance, and NaN while \
         Redis is down.",
    ),
    messages: gauges(
        "order_api_reliable_queue_messages",
        "Messages of all queues with receipts, by state: ready, delayed, in_flight or dead.",
        &["state"],
    ),
    oldest_age: gauge(
        "order_api_reliable_queue_oldest_age_seconds",
        "Time since the push of the oldest ready message of all queues with receipts; 0 if none is ready. It grows \
         while a queue is not emptied.",
    ),
    longest_in_flight: gauge(
        "order_api_reliable_queue_longest_in_flight_seconds",
        "Longest time that a receiver has held a message, of all queues with receipts; 0 if none is in flight. It \
         grows while a receiver keeps one.",
    ),
    dead_dropped: gauge(
        "order_api_reliable_queue_dead_dropped_messages",
        "Dead letters that were dropped, since their queue had too many.",
    ),
});

impl Metrics {
    pub(super) fn show(&self, totals: &Totals) {
        self.queues.set(float(totals.queues));
        for (state, messages) in [
            ("ready", totals.ready),
            ("delayed", totals.delayed),
            ("in_flight", totals.in_flight),
            ("dead", totals.dead),
        ] {
            self.messages.with_label_values(&[state]).set(float(messages));
        }
        self.dead_dropped.set(float(totals.dead_dropped));
        let oldest = Duration::from_micros(totals.oldest_age);
        self.oldest_age.set(oldest.as_secs_f64());
        let longest = totals.first_receipt.map_or(Duration::ZERO, since);
        self.longest_in_flight.set(longest.as_secs_f64());
    }

    /// None of them is known.
    pub(super) fn hide(&self) {
        for state in ["ready", "delayed", "in_flight", "dead"] {
            self.messages.with_label_values(&[state]).set(f64::NAN);
        }
        for gauge in [
            &self.queues,
            &self.dead_dropped,
            &self.oldest_age,
            &self.longest_in_flight,
        ] {
            gauge.set(f64::NAN);
        }
    }
}

/// The age of a time in milliseconds since 1970, by the clock of this machine, as in receipts.
fn since(receipt: u64) -> Duration {
    let received = SystemTime::UNIX_EPOCH + Duration::from_millis(receipt);
    received.elapsed().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "Redis holds fewer than 2^52 messages")]
fn float(number: u64) -> f64 {
    number as f64
}
