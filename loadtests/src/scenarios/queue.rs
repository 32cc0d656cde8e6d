//! Pushes and pops messages, and checks that none is popped twice and none is lost.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use goose::prelude::*;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;

use crate::exchange::Exchange;
use crate::guard::innermost;
use crate::harness::{Harness, step};
use crate::seen::Seen;

/// The prefix of each message of this run: the queue may hold others.
static PREFIX: LazyLock<String> = LazyLock::new(|| format!("loadtest {:016x} ", rand::random::<u64>()));
static PUSHED: AtomicU64 = AtomicU64::new(0);
/// Messages whose push was confirmed.
static KEPT: LazyLock<Seen> = LazyLock::new(Seen::default);
static POPPED: LazyLock<Seen> = LazyLock::new(Seen::default);
/// Unanswered pops: each may have removed a message.
static UNANSWERED: AtomicU64 = AtomicU64::new(0);

/// One push, one pop.
pub fn scenario(harness: &Arc<Harness>) -> Scenario {
    Scenario::new("Queue")
        .register_transaction(step!(harness, push).set_name("push a message"))
        .register_transaction(step!(harness, pop).set_name("pop a message"))
}

#[derive(Deserialize)]
struct Done {
    status: String,
    message: Option<String>,
}

fn done(exchange: &Exchange) -> Result<Option<String>, String> {
    let done: Done = exchange.body(StatusCode::OK)?;
    match done.status.as_str() {
        "ok" => Ok(done.message),
        other => Err(format!("200, but the status is {other:?}")),
    }
}

async fn push(user: &mut GooseUser, harness: &Harness) -> TransactionResult {
    let number = PUSHED.fetch_add(1, Ordering::SeqCst);
    let message = format!("{}{number}", *PREFIX);
    let token = harness.token.as_deref();
    let exchange = Exchange::post(user, "/api/queue/push", token, message).await;
    let verdict = done(&exchange);
    if verdict.is_ok() {
        KEPT.is_new(number);
        harness.ledger.note(&exchange, "pushed", number);
    }
    exchange.record(user, "/api/queue/push", &verdict).await
}

async fn pop(user: &mut GooseUser, harness: &Harness) -> TransactionResult {
    let token = harness.token.as_deref();
    UNANSWERED.fetch_add(1, Ordering::SeqCst);
    let exchange = Exchange::post(user, "/api/queue/pop", token, String::new()).await;
    if exchange.status().is_some_and(|status| !status.is_server_error()) {
        UNANSWERED.fetch_sub(1, Ordering::SeqCst);
    }
    let popped = done(&exchange);
    if let Ok(Some(message)) = &popped {
        harness
            .ledger
            .note(&exchange, "popped", number_of(message).unwrap_or(message));
    }
    let verdict = popped.and_then(|message| first_time(message.as_deref()));
    exchange.record(user, "/api/queue/pop", &verdict).await
}

/// The part of a message that is unique within the run, if the message belongs to it.
fn number_of(message: &str) -> Option<&str> {
    message.strip_prefix(PREFIX.as_str())
}

/// Whether a popped message is allowed at this point.
fn first_time(message: Option<&str>) -> Result<(), String> {
    let Some(number) = message.and_then(number_of) else {
        return Ok(()); // an empty queue, or a message of somebody else
    };
    match number.parse() {
        Ok(number) if number >= PUSHED.load(Ordering::SeqCst) => {
            Err(format!("message {number} was never pushed"))
        }
        Ok(number) if !POPPED.is_new(number) => Err(format!("message {number} came twice")),
        Ok(_) => Ok(()),
        Err(_) => Err(format!("message {number:?} is not what was pushed")),
    }
}

/// The number of missing messages after a run: their push was confirmed, they were not popped, they are not in the
/// queue, and no unanswered pop can have removed them. Foreign messages are pushed again.
///
/// # Errors
/// The queue cannot be read.
pub async fn lost(client: &Client, host: &str, token: &str) -> Result<u64, String> {
    if missing() == 0 {
        return Ok(0);
    }
    let url = |verb| format!("{}/api/queue/{verb}", host.trim_end_matches('/'));
    let mut of_others = Vec::new();
    loop {
        let popped = client.post(url("pop")).bearer_auth(token).send().await;
        let popped = popped.and_then(Response::error_for_status);
        let popped: Done = popped.map_err(why)?.json().await.map_err(why)?;
        let Some(message) = popped.message else { break };
        if message.starts_with(PREFIX.as_str()) {
            first_time(Some(&message))?;
        } else {
            of_others.push(message);
        }
    }
    for message in of_others {
        let pushed = client.post(url("push")).bearer_auth(token).body(message);
        let pushed = pushed.send().await.and_then(Response::error_for_status);
        pushed.map_err(why)?;
    }
    Ok(missing().saturating_sub(UNANSWERED.load(Ordering::SeqCst)))
}

/// Messages whose push was confirmed and that were not popped.
fn missing() -> u64 {
    let is_missing = |number: &u64| KEPT.contains(*number) && !POPPED.contains(*number);
    let numbers = 0..PUSHED.load(Ordering::SeqCst);
    numbers.filter(is_missing).map(|_| 1).sum()
}

fn why(error: reqwest::Error) -> String {
    innermost(&error)
}

#[cfg(test)]
mod tests {
    use super::{Ordering, PREFIX, PUSHED, first_time};

    #[test]
    fn a_message_is_popped_once_and_only_if_it_was_pushed() {
        let message = |number: &str| format!("{}{number}", *PREFIX);
        PUSHED.fetch_add(1, Ordering::SeqCst);
        assert_eq!(first_time(Some(&message("0"))), Ok(()));
        assert_eq!(
            first_time(Some(&message("0"))),
            Err("message 0 came twice".to_owned())
        );
        assert_eq!(
            first_time(Some(&message("1"))),
            Err("message 1 was never pushed".to_owned())
        );
        assert!(first_time(Some(&message("0x"))).is_err());
        assert_eq!(first_time(Some("somebody else's")), Ok(()));
        assert_eq!(first_time(None), Ok(()));
    }
}
