//! The operators' HTTP.

use std::collections::BTreeMap;

use rocket::State;
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::serde::json::Json;
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
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checks: BTreeMap<&'static str, &'static str>,
}

#[rocket::get("/healthcheck")]
async fn healthcheck(database: &State<Database>) -> (Status, Json<Health>) {
    let postgres = checks::postgres(database).await.is_ok();
    if postgres {
        let health = Health {
            status: "ok",
            checks: BTreeMap::new(),
        };
        return (Status::Ok, Json(health));
    }
    let checks = BTreeMap::from([("postgres", "down")]);
    (
        Status::ServiceUnavailable,
        Json(Health {
            status: "failure",
            checks,
        }),
    )
}
