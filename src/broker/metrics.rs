//! The metrics of the commands to Redis.

use std::sync::LazyLock;

use rocket_prometheus::prometheus::{HistogramVec, IntCounterVec};

use crate::telemetry::metrics::{SHORT_SECONDS, counters, histograms};

pub(crate) struct Metrics {
    pub(super) commands: HistogramVec,
    pub(super) errors: IntCounterVec,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    commands: histograms(
        "order_api_redis_command_duration_seconds",
        "Duration of a Redis command, excluding the wait for a connection. EVALSHA is a script.",
        &SHORT_SECONDS,
        &["command"],
    ),
    errors: counters(
        "order_api_redis_errors_total",
        "Redis commands that failed or found no connection.",
        &["command"],
    ),
});
