//! One log line a request: what was asked, what was answered, how long it took, for whom.

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
            duration_ms = started(request).elapsed().as_secs_f64() * 1000.0,
            client = request.client_ip().map(tracing::field::display),
            "request"
        );
    }
}

pub(super) fn fairing() -> impl Fairing {
    RequestLog
}
