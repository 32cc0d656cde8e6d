//! HTTP of the queues with receipts.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::request::FromParam;
use rocket::tokio::time::sleep;
use rocket::{FromForm, Shutdown, State, tokio};
use serde::Serialize;

use super::body::{self, Visibility};
use super::delivery::Delivery;
use super::gauges::Gauges;
use super::model::{DeadLetter, LONGEST_VISIBILITY, Numbers, QueueName, Receipt, Terms};
use super::refusal::QueueRefusal;
use super::store::Queues;
use super::waiters::Waiters;
use crate::broker::{Broker, Patience};
use crate::delivery::Budget;
use crate::error::ApiError;
use crate::http::body::{JsonBody, LargeBody, NoBody, Schema};
use crate::http::json::{Done, DoneWith, Json, done, done_with};
use crate::http::query::number;
use crate::http::token::Authorized;
use crate::telemetry::scrape::Scrapes;

/// A name in a path, or a refusal.
type Name = Result<QueueName, QueueRefusal>;

impl FromParam<'_> for QueueName {
    type Error = QueueRefusal;

    fn from_param(text: &str) -> Name {
        Self::parse(text).ok_or(QueueRefusal::InvalidName)
    }
}

static VISIBILITY: LazyLock<Schema<Visibility>> =
    LazyLock::new(|| Schema::of(include_str!("schemas/visibility.json")));

/// Mounts the queues; must be called inside the async runtime.
pub(crate) fn stage(broker: &Broker, budget: &Budget, scrapes: &mut Scrapes) -> AdHoc {
    LazyLock::force(&VISIBILITY);
    scrapes.push(Box::new(Gauges::of(broker)));
    let queues = Arc::new(Queues::new(broker, budget));
    AdHoc::on_ignite("Queues", |rocket| async {
        rocket
            .manage(Arc::new(Waiters::default()))
            .manage(queues)
            .mount("/api/queues", rocket::routes![push, receive, acknowledge, defer])
            .mount("/api/queues", rocket::routes![list, show, purge, delete])
            .mount("/api/queues", rocket::routes![dead, redrive, purge_dead])
    })
}

#[rocket::post("/<queue>/messages?<delay>", data = "<body>")]
async fn push(
    _authorized: Authorized,
    queue: Name,
    delay: Option<&str>,
    mut body: LargeBody,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
) -> Result<Json<DoneWith<Vec<String>>>, ApiError> {
    let queue = queue?;
    let delay = number("delay", delay, 0..=LONGEST_VISIBILITY, 0)?;
    let messages = body::messages(body.take_text()?)?;
    let ids = queues.push(&queue, messages, delay).await?;
    waiters.wake(&queue);
    Ok(done_with("ids", ids))
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
    let receipt = Receipt::parse(receipt).ok_or(QueueRefusal::ReceiptNotFound)?;
    found(queues.acknowledge(queue, receipt).await?)
}

#[rocket::patch("/<queue>/messages/<receipt>", data = "<body>")]
async fn defer(
    _authorized: Authorized,
    queue: Name,
    receipt: &str,
    body: JsonBody,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
) -> Result<Json<Done>, ApiError> {
    let queue = queue?;
    let Visibility { visibility } = VISIBILITY.read(body.bytes())?;
    let receipt = Receipt::parse(receipt).ok_or(QueueRefusal::ReceiptNotFound)?;
    let deferred = queues.defer(&queue, &receipt, visibility).await?;
    if visibility == 0 {
        waiters.wake(&queue);
    }
    found(deferred)
}

fn found(found: bool) -> Result<Json<Done>, ApiError> {
    match found {
        true => Ok(done()),
        false => Err(QueueRefusal::ReceiptNotFound.into()),
    }
}

#[rocket::get("/", data = "<_none>")]
async fn list(
    _authorized: Authorized,
    _none: NoBody,
    queues: &State<Arc<Queues>>,
) -> Result<Json<DoneWith<Vec<Numbers>>>, ApiError> {
    let queues = queues.list().await?;
    Ok(done_with("queues", queues))
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
    let numbers = numbers.ok_or_else(|| QueueRefusal::QueueNotFound(queue.as_str().to_owned()))?;
    Ok(Json(Shown {
        status: "ok",
        numbers,
    }))
}

#[rocket::get("/<queue>/dead?<limit>", data = "<_none>")]
async fn dead(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    limit: Option<&str>,
    queues: &State<Arc<Queues>>,
) -> Result<Json<DoneWith<Vec<DeadLetter>>>, ApiError> {
    let limit = number("limit", limit, 1..=1000, 100)?;
    let messages = queues.dead(&queue?, limit).await?;
    Ok(done_with("messages", messages))
}

#[rocket::post("/<queue>/dead/redrive?<max>", data = "<_none>")]
async fn redrive(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    max: Option<&str>,
    queues: &State<Arc<Queues>>,
    waiters: &State<Arc<Waiters>>,
) -> Result<Json<DoneWith<u64>>, ApiError> {
    let queue = queue?;
    let max = number("max", max, 1..=1_000_000, u64::MAX)?;
    let redriven = queues.redrive(&queue, max).await?;
    waiters.wake(&queue);
    Ok(done_with("redriven", redriven))
}

// Not `DELETE …/messages`: an acknowledgement that lost its receipt must not empty the queue.
#[rocket::post("/<queue>/purge", data = "<_none>")]
async fn purge(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    queues: &State<Arc<Queues>>,
) -> Result<Json<DoneWith<u64>>, ApiError> {
    let purged = queues.purge(&queue?).await?;
    Ok(done_with("purged", purged))
}

#[rocket::post("/<queue>/dead/purge", data = "<_none>")]
async fn purge_dead(
    _authorized: Authorized,
    _none: NoBody,
    queue: Name,
    queues: &State<Arc<Queues>>,
) -> Result<Json<DoneWith<u64>>, ApiError> {
    let purged = queues.purge_dead(&queue?).await?;
    Ok(done_with("purged", purged))
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
        Ok(done())
    } else {
        Err(QueueRefusal::QueueNotFound(queue.as_str().to_owned()).into())
    }
}
