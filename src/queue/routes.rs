//! The queue's HTTP.

use rocket::State;
use rocket::fairing::AdHoc;
use serde::Serialize;

use super::reliable;
use super::store::Queue;
use crate::broker::Broker;
use crate::error::ApiError;
use crate::http::body::{Message, NoBody};
use crate::http::json::Json;
use crate::http::token::Authorized;

/// Mounts the queues; needs a [`Broker`] in Rocket's state.
#[must_use]
pub fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Queue", |rocket| async {
        let Some(broker) = rocket.state::<Broker>() else {
            tracing::error!("the queue has no broker");
            return Err(rocket);
        };
        let queue = Queue::new(broker);
        Ok(rocket
            .manage(queue)
            .attach(reliable::stage())
            .mount("/api/queue", rocket::routes![push, pop, count]))
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
    mut message: Message,
    queue: &State<Queue>,
) -> Result<Json<Pushed>, ApiError> {
    queue.push(message.take_text()?).await?;
    Ok(Json(Pushed { status: "ok" }))
}

#[rocket::post("/pop", data = "<_none>")]
async fn pop(_authorized: Authorized, _none: NoBody, queue: &State<Queue>) -> Result<Json<Popped>, ApiError> {
    let message = queue.pop().await?;
    Ok(Json(Popped {
        status: "ok",
        message,
    }))
}

#[rocket::get("/count", data = "<_none>")]
async fn count(
    _authorized: Authorized,
    _none: NoBody,
    queue: &State<Queue>,
) -> Result<Json<Counted>, ApiError> {
    let count = queue.count().await?;
    Ok(Json(Counted { status: "ok", count }))
}
