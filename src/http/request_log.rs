//! One log line a request: what was asked, what was answered, how long it took, for whom.

use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};

use super::RequestId;
use super::started::started;

struct RequestLog;

#[rocket::async_trait]
impl Fairing for RequestLog {
    fn info(&self) -> Info {
        Info {
            name: "Request log",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        started(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let route = request.route().map_or("none", |route| route.uri.as_str());
        tracing::info!(
            request_id = RequestId::of(request).as_str(),
            method = request.method().as_str(),
            route,
            status = response.status().code,
            duration_ms = milliseconds(started(request).elapsed()),
            client = request.client_ip().map(tracing::field::display),
            "request"
        );
    }
}

/// To the microsecond.
#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

pub(super) fn fairing() -> impl Fairing {
    RequestLog
}
