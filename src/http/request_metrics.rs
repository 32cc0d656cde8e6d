//! Counts and times every request, by route template: a raw path would make a new series each.

use std::time::Duration;

use rocket::{Request, Response};
use rocket_prometheus::PrometheusMetrics;

use crate::telemetry::metrics::METRICS;

/// The count is rocket_prometheus's; its histogram has fixed buckets, so the time is kept in one of ours, and
/// its fairing, which would look for what that needs, is not asked.
pub(super) fn count(
    prometheus: &PrometheusMetrics,
    route: &str,
    request: &Request<'_>,
    response: &Response<'_>,
    took: Duration,
) {
    let status = response.status().code.to_string();
    let labels = [route, request.method().as_str(), &status];
    prometheus.http_requests_total().with_label_values(&labels).inc();
    METRICS
        .http_requests
        .with_label_values(&labels)
        .observe(took.as_secs_f64());
}
