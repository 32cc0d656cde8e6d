//! The queue's HTTP.

use std::borrow::Cow;

use rocket::fairing::AdHoc;
use rocket::response::{self, Responder};
use rocket::{Request, State};
use serde::Serialize;

use super::metrics::Depth;
use super::store::Queue;
use super::taken::Taken;
use crate::broker::Broker;
use crate::delivery::{self, Budget, Delivered};
use crate::error::ApiError;
use crate::http::body::{Message, NoBody};
use crate::http::json::Json;
use crate::http::launch::Alive;
use crate::http::token::Authorized;
use crate::telemetry::scrape::Scrapes;

/// Mounts the queue; needs a [`Broker`] and a [`Budget`] in Rocket's state.
#[must_use]
pub fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Queue", |rocket| async {
        let (Some(broker), Some(budget)) = (rocket.state::<Broker>(), rocket.state::<Budget>()) else {
            tracing::error!("the queue has no broker or no budget");
            return Err(rocket);
        };
        if let Some(scrapes) = rocket.state::<Scrapes>() {
            scrapes.add(Depth(broker.clone()));
        }
        let queue = Queue::new(broker, budget, rocket.state::<Alive>().cloned());
        Ok(rocket
            .manage(queue)
            .mount("/api/queue", rocket::routes![push, pop, count]))
    })
}

#[derive(Serialize)]
struct Pushed {
    status: &'static str,
}

#[derive(Serialize)]
struct Popped<'a> {
    status: &'static str,
    message: Option<Cow<'a, str>>,
}

/// The answer to a pop.
struct Delivery(Option<Taken>);

impl<'r> Responder<'r, 'static> for Delivery {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = Popped {
            status: "ok",
            message: self.0.as_ref().map(Taken::message),
        };
        match delivery::text(&body) {
            Ok(text) => delivery::respond(text, self.0),
            Err(status) => Err(status),
        }
    }
}

impl Delivered for Option<Taken> {
    fn delivered(&mut self) {
        if let Some(taken) = self {
            taken.delivered();
        }
    }
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
async fn pop(_authorized: Authorized, _none: NoBody, queue: &State<Queue>) -> Result<Delivery, ApiError> {
    Ok(Delivery(queue.pop().await?))
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
