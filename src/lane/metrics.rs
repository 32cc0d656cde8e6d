//! The metrics of the lanes.

use std::sync::LazyLock;
use std::time::Duration;

use rocket_prometheus::prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use crate::telemetry::metrics::{SHORT_SECONDS, counters, histograms};

/// Upper bounds of the requests in a batch.
const REQUESTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

pub(crate) struct Metrics {
    batch: HistogramVec,
    wait: HistogramVec,
    run: HistogramVec,
    refusals: IntCounterVec,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    batch: histograms(
        "order_api_lane_batch_items",
        "Requests that share a statement: near 1 the load is light, near 256 it is too high.",
        &REQUESTS,
        &["lane"],
    ),
    wait: histograms(
        "order_api_lane_wait_seconds",
        "Time that the first request of a batch waited for it: the queue in front of PostgreSQL or Redis.",
        &SHORT_SECONDS,
        &["lane"],
    ),
    run: histograms(
        "order_api_lane_run_seconds",
        "Duration of a batch, including the wait for a connection.",
        &SHORT_SECONDS,
        &["lane"],
    ),
    refusals: counters(
        "order_api_lane_refusals_total",
        "Requests refused with 503 for overload, by reason: full, at once, or late, after 0.8 s of waiting.",
        &["lane", "reason"],
    ),
});

/// The metrics of one lane.
#[derive(Clone)]
pub(super) struct LaneMetrics {
    batch: Histogram,
    wait: Histogram,
    /// The duration of a batch, in seconds.
    pub(super) run: Histogram,
    /// Items refused because the lane was full.
    pub(super) full: IntCounter,
    /// Items that waited too long.
    pub(super) late: IntCounter,
}

impl LaneMetrics {
    /// The metrics of the lane with this name.
    pub(super) fn of(lane: &str) -> Self {
        Self {
            batch: METRICS.batch.with_label_values(&[lane]),
            wait: METRICS.wait.with_label_values(&[lane]),
            run: METRICS.run.with_label_values(&[lane]),
            full: METRICS.refusals.with_label_values(&[lane, "full"]),
            late: METRICS.refusals.with_label_values(&[lane, "late"]),
        }
    }

    /// A batch begins whose first item has waited this long.
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    pub(super) fn begun(&self, items: usize, waited: Duration) {
        self.batch.observe(items as f64);
        self.wait.observe(waited.as_secs_f64());
    }
}
