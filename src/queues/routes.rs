//! The HTTP of the queues with receipts.

use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::tokio::time::sleep;
use rocket::{FromForm, Shutdown, State, tokio};
use serde::Serialize;

use super::batch;
use super::delivery::Delivery;
use super::gauges::Gauges;
use super::model::{DeadLetter, LONGEST_VISIBILITY, Numbers, QueueName, Receipt, Terms, Visibility};
use super::parameters::number;
use super::store::Queues;
use super::waiters::Waiters;
use crate::broker::{Broker, Patience};
use crate::delivery::Budget;
use crate::error::ApiError;
use crate::http::body::{JsonBody, LargeBody, NoBody, Schema};
use crate::http::json::Json;
use crate::http::token::Authorized;
use crate::telemetry::scrape::Scrapes;

/// A name in a path, or why it is none.
type Name = Result<QueueName, ApiError>;

/// Mounts the queues; needs a [`Broker`] and a [`Budget`] in Rocket's state.
#[must_use]
pub fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Queues", |rocket| async {
        let (Some(broker), Some(budget)) = (rocket.state::<Broker>(), rocket.state::<Budget>()) else {
            tracing::error!("the queues have no broker or no budget");
            return Err(rocket);
        };
        let queues = Arc::new(Queues::new(broker, budget));
        if let Some(scrapes) = rocket.state::<Scrapes>() {
            scrapes.add(Gauges::of(broker));
        }
        match Schema::<Visibility>::compile(include_str!("schemas/visibility.json")) {
            Ok(visibility) => Ok(rocket
                .manage(visibility)
                .manage(Arc::new(Waiters::default()))
                .manage(queues)
                .mount("/api/queues", rocket::routes![push, receive, acknowledge, defer])
                .mount("/api/queues", rocket::routes![list, show, purge, delete])
                .mount("/api/queues", rocket::routes![dead, redrive, purge_dead])),
            Err(error) => {
                tracing::error!(%error, "a schema of the queues is wrong");
                Err(rocket)
            }
        }
    })
}

#[derive(Serialize)]
struct Done {
    status: &'static str,
}

#[derive(Serialize)]
struct Pushed {
    status: &'static str,
    ids: Vec<String>,
}

#[rocket::post("/<queue>/messages?<delay>", data = "<body>")]
async fn push(
    _authorized: Authorized,
    queue: Name,
    delay: Option<&str>,
    mut body: LargeBody,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
) -> Result<Json<Pushed>, ApiError> {
    let queue = queue?;
    let delay = number("delay", delay, 0..=LONGEST_VISIBILITY, 0)?;
    let messages = batch::messages(body.take_text()?)?;
    let ids = queues.push(&queue, messages, delay).await?;
    waiters.wake(&queue);
    Ok(Json(Pushed { status: "ok", ids }))
}

#[derive(FromForm)]
struct Asked<'r> {
    max: Option<&'r str>,
    wait: Option<&'r str>,
    visibility: Option<&'r str>,
}

impl Asked<'_> {
    fn read(&self) -> Result<(Terms, Duration), ApiError> {
        let terms = Terms {
            max: number("max", self.max, 1..=100, 1)?,
            visibility: number("visibility", self.visibility, 1..=LONGEST_VISIBILITY, 30)?,
        };
        let wait = number("wait", self.wait, 0..=20, 0)?;
        Ok((terms, Duration::from_secs(wait)))
    }
}

#[rocket::post("/<queue>/messages/receive?<asked..>", data = "<_none>")]
async fn receive(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    asked: Asked<'_>,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
    shutdown: Shutdown,
) -> Result<Delivery, ApiError> {
    let queue = queue?;
    let (terms, wait) = asked.read()?;
    let mut handed = queues.receive(&queue, &terms).await?;
    if handed.is_none() && !wait.is_zero() {
        let ended = async {
            tokio::select! {
                () = sleep(wait) => {}
                () = shutdown => {}
            }
        };
        handed = waiters.receive(queues, &queue, &terms, ended).await?;
    }
    Ok(Delivery {
        queues: Arc::clone(queues),
        waiters: Arc::clone(waiters),
        queue,
        handed,
    })
}

#[rocket::delete("/<queue>/messages/<receipt>", data = "<_none>")]
async fn acknowledge(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    receipt: &str,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Done>, ApiError> {
    let queue = queue?;
    let receipt = Receipt::parse(receipt).ok_or(ApiError::ReceiptNotFound)?;
    found(queues.acknowledge(queue, receipt).await?)
}

#[rocket::patch("/<queue>/messages/<receipt>", data = "<body>")]
async fn defer(
    _authorized: Authorized,
    queue: Name,
    receipt: &str,
    body: JsonBody,
    schema: &State<Schema<Visibility>>,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
) -> Result<Json<Done>, ApiError> {
    let queue = queue?;
    let Visibility { visibility } = schema.read(body.bytes())?;
    let receipt = Receipt::parse(receipt).ok_or(ApiError::ReceiptNotFound)?;
    let deferred = queues.defer(&queue, &receipt, visibility).await?;
    if visibility == 0 {
        waiters.wake(&queue);
    }
    found(deferred)
}

fn found(found: bool) -> Result<Json<Done>, ApiError> {
    found
        .then_some(Json(Done { status: "ok" }))
        .ok_or(ApiError::ReceiptNotFound)
}

#[derive(Serialize)]
struct Listed {
    status: &'static str,
    queues: Vec<Numbers>,
}

#[rocket::get("/", data = "<_none>")]
async fn list(
    _authorized: Authorized,
    _none: NoBody,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Listed>, ApiError> {
    let queues = queues.list().await?;
    Ok(Json(Listed { status: "ok", queues }))
}

#[derive(Serialize)]
struct Shown {
    status: &'static str,
    #[serde(flatten)]
    numbers: Numbers,
}

#[rocket::get("/<queue>", data = "<_none>")]
async fn show(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Shown>, ApiError> {
    let queue = queue?;
    let numbers = queues.numbers(queue.clone(), Patience::usual()).await?;
    let numbers = numbers.ok_or_else(|| ApiError::QueueNotFound(queue.as_str().to_owned()))?;
    Ok(Json(Shown {
        status: "ok",
        numbers,
    }))
}

#[derive(Serialize)]
struct Dead {
    status: &'static str,
    messages: Vec<DeadLetter>,
}

#[rocket::get("/<queue>/dead?<limit>", data = "<_none>")]
async fn dead(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    limit: Option<&str>,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Dead>, ApiError> {
    let limit = number("limit", limit, 1..=1000, 100)?;
    let messages = queues.dead(&queue?, limit).await?;
    Ok(Json(Dead {
        status: "ok",
        messages,
    }))
}

#[derive(Serialize)]
struct Redriven {
    status: &'static str,
    redriven: u64,
}

#[rocket::post("/<queue>/dead/redrive?<max>", data = "<_none>")]
async fn redrive(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    max: Option<&str>,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
) -> Result<Json<Redriven>, ApiError> {
    let queue = queue?;
    let max = number("max", max, 1..=1_000_000, u64::MAX)?;
    let redriven = queues.redrive(&queue, max).await?;
    waiters.wake(&queue);
    Ok(Json(Redriven {
        status: "ok",
        redriven,
    }))
}

#[derive(Serialize)]
struct Purged {
    status: &'static str,
    purged: u64,
}

// Not `DELETE …/messages`: an acknowledgement whose receipt got lost on the way must not empty the queue.
#[rocket::post("/<queue>/purge", data = "<_none>")]
async fn purge(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Purged>, ApiError> {
    let purged = queues.purge(&queue?).await?;
    Ok(Json(Purged { status: "ok", purged }))
}

#[rocket::post("/<queue>/dead/purge", data = "<_none>")]
async fn purge_dead(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Purged>, ApiError> {
    let purged = queues.purge_dead(&queue?).await?;
    Ok(Json(Purged { status: "ok", purged }))
}

#[rocket::delete("/<queue>", data = "<_none>")]
async fn delete(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    queues: &State<Arc<Queues>>,
) -> Result<Json<Done>, ApiError> {
    let queue = queue?;
    if queues.delete(&queue).await? {
        Ok(Json(Done { status: "ok" }))
    } else {
        Err(ApiError::QueueNotFound(queue.as_str().to_owned()))
    }
}
