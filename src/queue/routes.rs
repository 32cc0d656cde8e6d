//! The queue's HTTP.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::response::{self, Responder};
use rocket::{Request, State};

use super::metrics::Depth;
use super::store::Queue;
use super::taken::Taken;
use crate::broker::Broker;
use crate::delivery::{self, Budget, Delivered};
use crate::error::ApiError;
use crate::http::body::{Message, NoBody};
use crate::http::json::{Done, DoneWith, Json, done, done_with};
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
        let alive = rocket.state::<Alive>().cloned();
        let queue = Queue::new(broker, budget, Arc::new(alive));
        Ok(rocket
            .manage(queue)
            .mount("/api/queue", rocket::routes![push, pop, count]))
    })
}

/// The answer to a pop.
struct Delivery(Option<Taken>);

impl<'r> Responder<'r, 'static> for Delivery {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let message = self.0.as_ref().map(Taken::message);
        let text = done_with("message", message).text()?;
        delivery::respond(text, self.0)
    }
}

impl Delivered for Option<Taken> {
    fn delivered(&mut self) {
        if let Some(taken) = self {
            taken.delivered();
        }
    }
}

#[rocket::post("/push", data = "<message>")]
async fn push(
    _authorized: Authorized,
    mut message: Message,
    queue: &State<Queue>,
) -> Result<Json<Done>, ApiError> {
    queue.push(message.take_text()?).await?;
    Ok(done())
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
) -> Result<Json<DoneWith<u64>>, ApiError> {
    let count = queue.count().await?;
    Ok(done_with("count", count))
}
