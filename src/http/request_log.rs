//! One log line per request: the request, the answer, the duration, the client.

use std::time::Duration;

use super::request::Answered;

pub(super) fn write(answered: &Answered<'_>) {
    tracing::info!(
        request_id = answered.id.as_str(),
        method = answered.method,
        route = answered.route,
        status = answered.status,
        duration_ms = milliseconds(answered.took),
        client = answered.client.map(tracing::field::display),
        "request"
    );
}

/// Rounded to microseconds.
#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
