//! Counts and times every request, by route template: a raw path would make a new series each.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};
use rocket_prometheus::PrometheusMetrics;

use super::started::started;
use crate::telemetry::metrics::METRICS;

/// What no route answers: one series for all unknown paths.
const UNROUTED: &str = "none";

/// Hands the count to rocket_prometheus and keeps the time itself: the buckets of the former are fixed,
/// and without its `on_request` it keeps no time.
struct RequestMetrics(PrometheusMetrics);

#[rocket::async_trait]
impl Fairing for RequestMetrics {
    fn info(&self) -> Info {
        Info {
            name: "Request metrics",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        started(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        self.0.on_response(request, response).await;
        let (method, status) = (request.method().as_str(), response.status().code.to_string());
        let endpoint = match request.route() {
            Some(route) => route.uri.as_str(),
            None => {
                let unrouted = [UNROUTED, method, &status];
                self.0.http_requests_total().with_label_values(&unrouted).inc();
                UNROUTED
            }
        };
        METRICS
            .http_requests
            .with_label_values(&[endpoint, method, &status])
            .observe(started(request).elapsed().as_secs_f64());
    }
}

pub(super) fn fairing(prometheus: PrometheusMetrics) -> impl Fairing {
    RequestMetrics(prometheus)
}
