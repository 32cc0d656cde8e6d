//! One log line a request: what was asked, what was answered, how long it took, for whom.

use std::time::Duration;

use rocket::{Request, Response};

use super::RequestId;

pub(super) fn write(
    id: &RequestId,
    route: &str,
    request: &Request<'_>,
    response: &Response<'_>,
    took: Duration,
) {
    tracing::info!(
        request_id = id.as_str(),
        method = request.method().as_str(),
        route,
        status = response.status().code,
        duration_ms = milliseconds(took),
        client = request.client_ip().map(tracing::field::display),
        "request"
    );
}

/// That of a request whose first line Rocket could not read: its method is not known.
pub(super) fn write_unreadable(request: &Request<'_>, status: u16) {
    tracing::info!(
        request_id = RequestId::of(request).as_str(),
        method = "unknown",
        route = "none",
        status,
        duration_ms = 0.0,
        client = request.client_ip().map(tracing::field::display),
        "request"
    );
}

/// To the microsecond.
#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
