//! One log line a request: what was asked, what was answered, how long it took, for whom.

use std::time::Duration;

use rocket::{Request, Response};

use super::RequestId;

pub(super) fn write(id: &RequestId, request: &Request<'_>, response: &Response<'_>, took: Duration) {
    let route = request.route().map_or("none", |route| route.uri.as_str());
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

/// To the microsecond.
#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
