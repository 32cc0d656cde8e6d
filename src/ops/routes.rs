//! The operators' HTTP.

use std::collections::BTreeMap;

use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::serde::json::Json;
use rocket::{Responder, State};
use serde::Serialize;

use super::checks;
use crate::db::Database;

/// Mounts the operators' routes; needs a [`Database`] in Rocket's state.
#[must_use]
pub fn stage() -> AdHoc {
    AdHoc::on_ignite("Operations", |rocket| async {
        rocket.mount("/", rocket::routes![healthcheck])
    })
}

#[derive(Serialize)]
struct Healthy {
    status: &'static str,
}

#[derive(Serialize)]
struct Failure {
    status: &'static str,
    checks: BTreeMap<&'static str, &'static str>,
}

#[derive(Responder)]
#[response(status = 503)]
struct Unhealthy {
    failure: Json<Failure>,
    retry_after: Header<'static>,
}

#[rocket::get("/healthcheck")]
async fn healthcheck(database: &State<Database>) -> Result<Json<Healthy>, Unhealthy> {
    if checks::postgres(database).await.is_ok() {
        return Ok(Json(Healthy { status: "ok" }));
    }
    Err(Unhealthy {
        failure: Json(Failure {
            status: "failure",
            checks: BTreeMap::from([("postgres", "down")]),
        }),
        retry_after: Header::new("Retry-After", "1"),
    })
}
