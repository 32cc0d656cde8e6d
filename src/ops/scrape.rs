//! The answer to a scrape: all metrics, including the gauges that are read for it.

use std::sync::Arc;
use std::time::Duration;

use rocket::data::{self, FromData};
use rocket::futures::future::join_all;
use rocket::http::{ContentType, Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::tokio::time::Instant;
use rocket::{Data, Request, Route};
use rocket_prometheus::prometheus::TextEncoder;

use crate::http::body::NoBody;
use crate::telemetry::metrics::REGISTRY;
use crate::telemetry::scrape::Scrapes;

/// The time that a scrape waits for gauges.
const WITHIN: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(super) struct Scrape(pub(super) Arc<Scrapes>);

impl From<Scrape> for Vec<Route> {
    fn from(scrape: Scrape) -> Self {
        vec![Route::new(Method::Get, "/", scrape)]
    }
}

#[rocket::async_trait]
impl Handler for Scrape {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        match NoBody::from_data(request, data).await {
            data::Outcome::Success(NoBody) => {}
            data::Outcome::Error((status, ())) => return Outcome::Error(status),
            data::Outcome::Forward(forward) => return Outcome::Forward(forward),
        }
        let by = Instant::now() + WITHIN;
        join_all(self.0.iter().map(|gauges| gauges.renew(by))).await;
        match TextEncoder::new().encode_to_string(&REGISTRY.gather()) {
            Ok(text) => {
                let kind = ContentType::new("text", "plain");
                let kind = kind.with_params([("version", "0.0.4"), ("charset", "utf-8")]);
                Outcome::from(request, (kind, text))
            }
            Err(_) => Outcome::Error(Status::InternalServerError),
        }
    }
}
