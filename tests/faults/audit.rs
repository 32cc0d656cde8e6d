//! Looks up everything that the service has confirmed, once it has recovered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::tokio::time::sleep;

use crate::client::{Reply, Request};
use crate::ledger::{Ledger, text};
use crate::support::App;

/// Longer than any visibility timeout and any other wait of the clients.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Debug, Default)]
pub struct Audit {
    /// Confirmed changes that are missing, each with a description.
    pub lost: Vec<String>,
    pub taken_twice: usize,
    pub acknowledged: usize,
}

impl Audit {
    /// Of a service that has not recovered.
    pub fn impossible() -> Self {
        Self {
            lost: vec!["the audit was impossible".to_owned()],
            ..Self::default()
        }
    }
}

pub async fn audit(app: &App, ledger: &mut Ledger) -> Audit {
    let mut lost = orders(app, ledger).await;
    lost.extend(messages(app, ledger).await);
    lost.extend(reliable_messages(app, ledger).await);
    lost.extend(keys(app, ledger).await);
    Audit {
        lost,
        taken_twice: ledger.taken_twice(),
        acknowledged: ledger.acknowledged(),
    }
}

async fn ask(app: &App, method: Method, path: &str) -> Reply {
    let reply = Request::new(method, path).send(&app.http, &app.address).await;
    assert!([200, 404].contains(&reply.status), "the audit: {path}: {reply:?}");
    reply
}

async fn orders(app: &App, ledger: &Ledger) -> Vec<String> {
    let mut is_taken = BTreeMap::new();
    let mut path = "/orders?page=1&limit=1000".to_owned();
    loop {
        let page = ask(app, Method::GET, &path).await;
        let rows = page.body.as_array().unwrap();
        let ids = rows.iter().map(|row| row["id"].as_i64().unwrap());
        is_taken.extend(ids.zip(rows.iter().map(|row| row["status"] == "TAKEN")));
        let Some(last) = rows.last() else { break };
        path = format!("/orders?after={}&limit=1000", last["id"]);
    }
    let placed = ledger.placed.iter().filter(|id| !is_taken.contains_key(id));
    let taken = ledger.won.keys().filter(|id| is_taken.get(id) != Some(&true));
    let placed = placed.map(|id| format!("order {id}"));
    placed.chain(taken.map(|id| format!("take of {id}"))).collect()
}

async fn messages(app: &App, ledger: &Ledger) -> Vec<String> {
    let mut left = BTreeSet::new();
    loop {
        let popped = ask(app, Method::POST, "/api/queue/pop").await;
        let Some(message) = popped.body["message"].as_str() else {
            break;
        };
        left.insert(message.to_owned());
    }
    let out = |message: &&String| ledger.popped.contains(*message) || left.contains(*message);
    let missing = ledger.pushed.iter().filter(|message| !out(message));
    // A pop of unknown outcome may have removed one message, as documented.
    missing.skip(ledger.unknown_pops).cloned().collect()
}

/// Receives and acknowledges until no message is missing.
async fn reliable_messages(app: &App, ledger: &mut Ledger) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let path = "/api/queues/mails/messages/receive?max=100&visibility=30";
        let reply = ask(app, Method::POST, path).await;
        for message in reply.body["messages"].as_array().unwrap() {
            let path = format!("/api/queues/mails/messages/{}", text(message, "receipt"));
            let done = ask(app, Method::DELETE, &path).await;
            assert_eq!(done.status, 200, "{done:?}");
            let message = text(message, "message");
            if ledger.done.insert(message, done.ended).is_some() {
                ledger.came_again += 1;
            }
        }
        let dead = ask(app, Method::GET, "/api/queues/mails/dead?limit=1000").await;
        let dead: BTreeSet<String> = dead.body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| text(message, "message"))
            .collect();
        let is_kept = |message: &&String| {
            let [maybe_done, is_dead] = [&ledger.maybe_done, &dead].map(|all| all.contains(*message));
            ledger.done.contains_key(*message) || maybe_done || is_dead
        };
        let missing: Vec<String> = ledger
            .queued
            .iter()
            .filter(|message| !is_kept(message))
            .cloned()
            .collect();
        if missing.is_empty() || Instant::now() > deadline {
            return missing;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn keys(app: &App, ledger: &Ledger) -> Vec<String> {
    let mut lost = Vec::new();
    for key in &ledger.keys {
        let kept = ask(app, Method::GET, &format!("/get/{key}")).await;
        if kept.body[key] != key.as_str() {
            lost.push(key.clone());
        }
    }
    lost
}
