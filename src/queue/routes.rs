//! HTTP of the plain queue.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::response::{self, Responder};
use rocket::{Request, State};

use super::metrics::Depth;
use super::popped::PoppedMessage;
use super::store::Queue;
use crate::broker::Broker;
use crate::delivery::{self, Budget, Delivered};
use crate::error::ApiError;
use crate::http::body::{Message, NoBody};
use crate::http::json::{Done, DoneWith, Json, done, done_with};
use crate::http::launch::Alive;
use crate::http::token::Authorized;
use crate::telemetry::scrape::Scrapes;

/// Mounts the queue.
pub(crate) fn stage(broker: &Broker, budget: &Budget, scrapes: &mut Scrapes) -> AdHoc {
    scrapes.push(Box::new(Depth(broker.clone())));
    let (broker, budget) = (broker.clone(), budget.clone());
    AdHoc::on_ignite("Queue", move |rocket| async move {
        let alive = rocket.state::<Alive>().cloned();
        rocket
            .manage(Queue::new(&broker, &budget, Arc::new(alive)))
            .mount("/api/queue", rocket::routes![push, pop, count])
    })
}

/// The answer to a pop.
struct Delivery(Option<PoppedMessage>);

impl<'r> Responder<'r, 'static> for Delivery {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let message = self.0.as_ref().map(PoppedMessage::message);
        let text = done_with("message", message).text()?;
        delivery::respond(text, self.0)
    }
}

impl Delivered for Option<PoppedMessage> {
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
