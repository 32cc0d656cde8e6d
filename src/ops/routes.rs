//! HTTP of the operators.

use std::collections::BTreeMap;
use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::{Responder, State};
use serde::Serialize;

use super::checks;
use super::metrics::METRICS;
use super::scrape::Scrape;
use crate::broker::Broker;
use crate::config::{self, Purpose};
use crate::db::Database;
use crate::http::body::NoBody;
use crate::http::json::Json;
use crate::telemetry::scrape::Scrapes;

/// Mounts the operators' routes; needs a [`Database`] and a [`Broker`] in Rocket's state.
#[must_use]
pub fn stage(config: &config::Server, scrapes: Scrapes) -> AdHoc {
    METRICS.set(config.replicas);
    let purpose = config.purpose;
    let scrape = Scrape(Arc::new(scrapes));
    AdHoc::on_ignite("Operations", move |rocket| async move {
        rocket
            .manage(purpose)
            .mount("/", rocket::routes![livez, healthcheck, redis_health])
            .mount("/metrics", scrape.clone())
            .mount("/prom-metrics", scrape)
    })
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Failure {
    status: &'static str,
    /// The name of a check, and its state, such as `up` or `down`.
    checks: BTreeMap<&'static str, &'static str>,
}

#[derive(Responder)]
#[response(status = 503)]
struct Unhealthy<T> {
    body: Json<T>,
    retry_after: Header<'static>,
}

impl<T> Unhealthy<T> {
    fn new(body: T) -> Self {
        Self {
            body: Json(body),
            retry_after: Header::new("Retry-After", "1"),
        }
    }
}

#[derive(Serialize)]
struct Alive {
    status: &'static str,
    environment: Purpose,
}

/// The process answers; nothing else is checked.
#[rocket::get("/livez", data = "<_none>")]
fn livez(_none: NoBody, purpose: &State<Purpose>) -> Json<Alive> {
    Json(Alive {
        status: "ok",
        environment: **purpose,
    })
}

#[rocket::get("/healthcheck", data = "<_none>")]
async fn healthcheck(
    _none: NoBody,
    database: &State<Database>,
    broker: &State<Broker>,
) -> Result<Json<Health>, Unhealthy<Failure>> {
    let (postgres, redis) = rocket::tokio::join!(checks::postgres(database), checks::redis(broker));
    if postgres == "up" && redis == "up" {
        return Ok(Json(Health { status: "ok" }));
    }
    Err(Unhealthy::new(Failure {
        status: "failure",
        checks: BTreeMap::from([("postgres", postgres), ("redis", redis)]),
    }))
}

#[rocket::get("/redis_health", data = "<_none>")]
async fn redis_health(_none: NoBody, broker: &State<Broker>) -> Result<Json<Health>, Unhealthy<Health>> {
    if checks::redis(broker).await == "up" {
        Ok(Json(Health {
            status: "Redis is up",
        }))
    } else {
        Err(Unhealthy::new(Health {
            status: "Redis is down",
        }))
    }
}
