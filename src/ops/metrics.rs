//! What Prometheus reads: all metrics, and those among them that are only true at the moment they are asked for.

use std::time::Duration;

use redis::cmd;
use rocket::data::{self, FromData};
use rocket::http::{ContentType, Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::tokio::join;
use rocket::tokio::time::{Instant, timeout_at};
use rocket::{Data, Orbit, Request, Rocket, Route};
use rocket_prometheus::PrometheusMetrics;
use rocket_prometheus::prometheus::core::Collector;
use rocket_prometheus::prometheus::{Result, TextEncoder};

use crate::broker::{Broker, keys};
use crate::db::Database;
use crate::http::body::NoBody;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::scrape::AtScrape;

/// A scrape does not wait longer for Redis.
const WITHIN: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(super) struct Scrape(pub(super) PrometheusMetrics);

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
        if let Some(database) = request.rocket().state::<Database>() {
            database.report();
        }
        look(request.rocket()).await;
        match self.text() {
            Ok(text) => {
                let kind = ContentType::new("text", "plain");
                let kind = kind.with_params([("version", "0.0.4"), ("charset", "utf-8")]);
                Outcome::from(request, (kind, text))
            }
            Err(_) => Outcome::Error(Status::InternalServerError),
        }
    }
}

impl Scrape {
    /// In the place of rocket_prometheus's own handler, which wants a body.
    fn text(&self) -> Result<String> {
        let mut families = self.0.http_requests_total().collect();
        families.retain(|family| !family.get_metric().is_empty());
        families.extend(METRICS.registry.gather());
        TextEncoder::new().encode_to_string(&families)
    }
}

/// At all that is in Redis, at the same time.
async fn look(rocket: &Rocket<Orbit>) {
    let by = Instant::now() + WITHIN;
    let plain = async {
        if let Some(broker) = rocket.state::<Broker>() {
            METRICS.queue_depth.set(depth(broker, by).await);
        }
    };
    let reliable = async {
        if let Some(gauges) = rocket.state::<Box<dyn AtScrape>>() {
            gauges.renew(by).await;
        }
    };
    join!(plain, reliable);
}

/// Messages; not a number where Redis does not tell.
async fn depth(broker: &Broker, by: Instant) -> f64 {
    let count = cmd("LLEN").arg(keys::MESSAGE_QUEUE).to_owned();
    match timeout_at(by, broker.read(&count)).await {
        Ok(Ok(messages)) => messages,
        _ => f64::NAN,
    }
}
