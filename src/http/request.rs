//! What every request meets on its way: the id on its answer, its line in the log, its count and its time.
//!
//! One fairing and not three, as each costs an allocation and a look at the clock.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};
use rocket_prometheus::PrometheusMetrics;

use super::request_id::Arrival;
use super::{chunk, refusal, request_log, request_metrics, rewrite};

/// What no route answers: one word, and one series, for all unknown paths.
const UNROUTED: &str = "none";

struct EveryRequest(PrometheusMetrics);

#[rocket::async_trait]
impl Fairing for EveryRequest {
    fn info(&self) -> Info {
        Info {
            name: "Every request",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        Arrival::note(request, rewrite::is_cut_off(data).await);
        rewrite::normalize(request, data).await;
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let arrival = Arrival::of(request);
        response.set_header(&arrival.id);
        chunk::fit(response);
        let route = refusal::route(arrival, request).unwrap_or(UNROUTED);
        let took = arrival.at.elapsed();
        request_log::write(&arrival.id, route, request, response, took);
        request_metrics::count(&self.0, route, request, response, took);
    }
}

pub(super) fn fairing(prometheus: PrometheusMetrics) -> impl Fairing {
    EveryRequest(prometheus)
}
