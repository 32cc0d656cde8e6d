//! Pushes and pops messages, and checks that none comes twice.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use goose::prelude::*;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::exchange::Exchange;
use crate::harness::{Harness, step};
use crate::seen::Seen;

/// What begins each message of this run: the queue may hold others.
static PREFIX: LazyLock<String> = LazyLock::new(|| format!("loadtest {:016x} ", rand::random::<u64>()));
static PUSHED: AtomicU64 = AtomicU64::new(0);
static POPPED: LazyLock<Seen> = LazyLock::new(Seen::default);

/// A push, a pop.
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
    exchange.record(user, "/api/queue/push", &done(&exchange)).await
}

async fn pop(user: &mut GooseUser, harness: &Harness) -> TransactionResult {
    let token = harness.token.as_deref();
    let exchange = Exchange::post(user, "/api/queue/pop", token, String::new()).await;
    let verdict = done(&exchange).and_then(|message| first_time(message.as_deref()));
    exchange.record(user, "/api/queue/pop", &verdict).await
}

/// Whether a message that was popped is one that may come now.
fn first_time(message: Option<&str>) -> Result<(), String> {
    let Some(number) = message.and_then(|message| message.strip_prefix(PREFIX.as_str())) else {
        return Ok(()); // an empty queue, or somebody else's message
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

#[cfg(test)]
mod tests {
    use super::{Ordering, PREFIX, PUSHED, first_time};

    #[test]
    fn a_message_may_come_once_and_only_if_it_was_pushed() {
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
