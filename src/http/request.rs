//! The fairing of every request: the id on its answer, its line in the log, its count and its time.
//!
//! One fairing and not three, since each costs an allocation and a clock reading.

use std::net::IpAddr;
use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};

use super::RequestId;
use super::request_id::Arrival;
use super::{chunk, metrics, refusal, request_log, rewrite};

/// Requests without a route: one label, and one series, for all unknown paths.
pub(super) const UNROUTED: &str = "none";

/// A request and its answer, for the log and the metrics.
pub(super) struct Answered<'r> {
    pub(super) id: &'r RequestId,
    pub(super) method: &'r str,
    /// The template of the route.
    pub(super) route: &'r str,
    pub(super) status: u16,
    pub(super) took: Duration,
    pub(super) client: Option<IpAddr>,
}

struct EveryRequest;

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
        let answered = Answered {
            id: &arrival.id,
            method: request.method().as_str(),
            route: refusal::route(arrival, request).unwrap_or(UNROUTED),
            status: response.status().code,
            took: arrival.at.elapsed(),
            client: request.client_ip(),
        };
        request_log::write(&answered);
        metrics::count(&answered);
    }
}

pub(super) fn fairing() -> impl Fairing {
    EveryRequest
}
