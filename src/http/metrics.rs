//! Counts and times every request, by route template: raw paths would create one series each.

use std::sync::LazyLock;

use rocket_prometheus::PrometheusMetrics;
use rocket_prometheus::prometheus::{HistogramVec, IntCounterVec};

use super::request::Answered;
use crate::telemetry::metrics::{SECONDS, histograms, register};

pub(crate) struct Metrics {
    requests: IntCounterVec,
    durations: HistogramVec,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    // rocket_prometheus's fairing would add a histogram whose buckets begin at 5 ms. So it is not used: its count is
    // kept here, and the time in a histogram with the name that it would have.
    requests: register(PrometheusMetrics::new().http_requests_total().clone()),
    durations: histograms(
        "rocket_http_requests_duration_seconds",
        "Time from the head of a request to the head of its answer. The endpoint is the template of a route, or none without a route.",
        &SECONDS,
        &["endpoint", "method", "status"],
    ),
});

pub(super) fn count(answered: &Answered<'_>) {
    let status = answered.status.to_string();
    let labels = [answered.route, answered.method, &status];
    METRICS.requests.with_label_values(&labels).inc();
    let took = answered.took.as_secs_f64();
    METRICS.durations.with_label_values(&labels).observe(took);
}
