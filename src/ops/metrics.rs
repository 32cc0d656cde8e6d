//! What Prometheus reads: all metrics, and those among them that are only true at the moment they are asked for.

use std::time::Duration;

use redis::cmd;
use rocket::http::Method;
use rocket::route::{Handler, Outcome};
use rocket::tokio::time::timeout;
use rocket::{Data, Request, Route};
use rocket_prometheus::PrometheusMetrics;

use crate::broker::{Broker, keys};
use crate::db::Database;
use crate::telemetry::metrics::METRICS;

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
        if let Some(database) = request.rocket().state::<Database>() {
            database.report();
        }
        if let Some(broker) = request.rocket().state::<Broker>() {
            METRICS.queue_depth.set(depth(broker).await);
        }
        self.0.handle(request, data).await
    }
}

/// Messages; not a number where Redis does not tell.
async fn depth(broker: &Broker) -> f64 {
    let count = cmd("LLEN").arg(keys::MESSAGE_QUEUE).to_owned();
    match timeout(WITHIN, broker.read(&count)).await {
        Ok(Ok(messages)) => messages,
        _ => f64::NAN,
    }
}
