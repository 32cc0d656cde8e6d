//! The reliable queues; each test has its own Redis.

mod acknowledge;
mod clock;
mod crash;
mod dead;
mod defer;
mod delete;
mod full;
mod gauges;
mod numbers;
mod push;
mod receive;
mod refusals;
mod wait;

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::support::{App, Database, Redis};

const PUSH: &str = "/api/queues/mails/messages";
const RECEIVE: &str = "/api/queues/mails/messages/receive";
const PURGE: &str = "/api/queues/mails/purge";
const DEAD: &str = "/api/queues/mails/dead";

fn start() -> (App, Redis) {
    let redis = Redis::start();
    (serve(&redis), redis)
}

fn serve(redis: &Redis) -> App {
    let database = Arc::new(Database::migrated());
    App::on(&database).with("REDIS_URL", &redis.url).start()
}

/// A message as received.
#[derive(Debug, Clone, PartialEq)]
struct Received {
    id: String,
    message: String,
    receipt: String,
    attempts: u64,
}

impl Received {
    fn of(message: &Value) -> Self {
        let text = |name: &str| message[name].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            message: text("message"),
            receipt: text("receipt"),
            attempts: message["attempts"].as_u64().unwrap(),
        }
    }

    fn path(&self) -> String {
        format!("{PUSH}/{}", self.receipt)
    }
}

/// Pushes to `mails` and returns the ids.
async fn push(app: &App, body: &str) -> Vec<String> {
    push_with(app, "", body).await
}

async fn push_with(app: &App, query: &str, body: &str) -> Vec<String> {
    let path = format!("{PUSH}{query}");
    let pushed = app.authorized(Method::POST, &path, body.to_owned()).await;
    assert_eq!((pushed.status, &pushed.body["status"]), (200, &"ok".into()));
    serde_json::from_value(pushed.body["ids"].clone()).unwrap()
}

/// Receives from `mails`, with a query such as `?max=10`.
async fn receive(app: &App, query: &str) -> Vec<Received> {
    let path = format!("{RECEIVE}{query}");
    let received = app.authorized(Method::POST, &path, "").await;
    assert_eq!((received.status, &received.body["status"]), (200, &"ok".into()));
    let messages = received.body["messages"].as_array().unwrap();
    messages.iter().map(Received::of).collect()
}

/// The only message that is ready.
async fn receive_one(app: &App, query: &str) -> Received {
    let received = receive(app, query).await;
    let [message] = received.as_slice() else {
        panic!("not one message: {received:?}");
    };
    message.clone()
}

/// Texts of messages in the order of their receipt.
async fn texts(app: &App, query: &str) -> Vec<String> {
    let received = receive(app, query).await;
    received.into_iter().map(|message| message.message).collect()
}

/// 200 on success, else status and code.
async fn acknowledge(app: &App, message: &Received) -> (u16, String) {
    let answer = app.authorized(Method::DELETE, &message.path(), "").await;
    (answer.status, answer.code().to_owned())
}

async fn defer(app: &App, message: &Received, visibility: u64) -> (u16, String) {
    let body = format!(r#"{{"visibility": {visibility}}}"#);
    let answer = app.authorized(Method::PATCH, &message.path(), body).await;
    (answer.status, answer.code().to_owned())
}

fn done() -> (u16, String) {
    (200, String::new())
}

fn gone() -> (u16, String) {
    (404, "receipt_not_found".to_owned())
}

/// The counts of `GET /api/queues/mails`: ready, delayed, in flight, dead.
async fn numbers(app: &App) -> [u64; 4] {
    let shown = app.authorized(Method::GET, "/api/queues/mails", "").await;
    assert_eq!(shown.status, 200, "{shown:?}");
    ["ready", "delayed", "in_flight", "dead"].map(|name| shown.body[name].as_u64().unwrap())
}

/// Delivers the messages of `mails` and returns them until they are dead letters.
async fn kill_all(app: &App) {
    for _ in 0..5 {
        for message in receive(app, "?max=100&visibility=100").await {
            assert_eq!(defer(app, &message, 0).await, done());
        }
    }
}

/// Fails unless it was `expected` seconds ago, or slightly more.
fn assert_elapsed(since: Instant, expected: f64) {
    let elapsed = since.elapsed();
    let range = Duration::from_secs_f64(expected)..Duration::from_secs_f64(expected + 2.0);
    assert!(range.contains(&elapsed), "{elapsed:?} are not about {expected} s");
}
