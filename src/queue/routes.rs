//! The queue's HTTP.

use rocket::data::ToByteUnit;
use rocket::fairing::AdHoc;
use rocket::serde::json::Json;
use rocket::{Data, State};
use serde::Serialize;

use super::{reliable, store};
use crate::broker::Broker;
use crate::error::ApiError;
use crate::http::body;
use crate::http::token::Authorized;

/// Mounts the queues; needs a [`Broker`] in Rocket's state.
#[must_use]
pub fn stage() -> AdHoc {
    AdHoc::on_ignite("Queue", |rocket| async {
        rocket
            .attach(reliable::stage())
            .mount("/api/queue", rocket::routes![push, pop, count])
    })
}

#[derive(Serialize)]
struct Pushed {
    status: &'static str,
}

#[derive(Serialize)]
struct Popped {
    status: &'static str,
    message: Option<String>,
}

#[derive(Serialize)]
struct Counted {
    status: &'static str,
    count: u64,
}

#[rocket::post("/push", data = "<message>")]
async fn push(
    _authorized: Authorized,
    message: Data<'_>,
    broker: &State<Broker>,
) -> Result<Json<Pushed>, ApiError> {
    let message = body::text(message, 1.mebibytes()).await?;
    store::push(broker, &message).await?;
    Ok(Json(Pushed { status: "ok" }))
}

#[rocket::post("/pop")]
async fn pop(_authorized: Authorized, broker: &State<Broker>) -> Result<Json<Popped>, ApiError> {
    let message = store::pop(broker).await?;
    Ok(Json(Popped {
        status: "ok",
        message,
    }))
}

#[rocket::get("/count")]
async fn count(_authorized: Authorized, broker: &State<Broker>) -> Result<Json<Counted>, ApiError> {
    let count = store::count(broker).await?;
    Ok(Json(Counted { status: "ok", count }))
}
