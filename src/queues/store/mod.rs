//! A reliable queue in Redis.
//!
//! A message has an id, the time of its push in microseconds. It grows by at least one per message, and so is also the
//! message's position in the queue. `messages` holds its text, and its id is in one of these
//! sorted sets:
//!
//! - `ready`, by id: it waits for a receiver, the oldest first;
//! - `delayed`, by the time at which it becomes ready;
//! - `in_flight`, by the time of its visibility timeout;
//! - `dead`, by the time at which it became a dead letter; its text is then in `dead_messages`, so that the others
//!   can be unlinked without visiting each.
//!
//! To receive is to move the head of `ready` to `in_flight` and to record the number of attempts and a new nonce in
//! `deliveries`. The receipt is id and nonce. To acknowledge is to remove the message, wherever it is, if
//! the nonce is still the recorded one: it has not been received again. Nothing runs in the background: each receive
//! or poll first moves what is due, from `delayed` to `ready`, and from `in_flight` to `ready` or,
//! after the last attempt, to `dead`.
//!
//! Each of these is one script, which Redis runs atomically, by its own clock, and which does a bounded
//! amount of work. A crash of this process loses nothing: what it had received is in `in_flight`.
//! Concurrent pushes, receives and acknowledgements of one queue share one call each, and so one `fsync`.
//! All keys of a queue share a hash tag. The set of all names cannot, so a name is added just before a push
//! and not with it: a crash between the two leaves a name without a queue, which lists leave out.

mod acknowledge;
mod manage;
mod push;
mod receive;
pub(super) mod totals;

use std::collections::HashMap;
use std::sync::Arc;

use redis::cmd;
use rocket::futures::future::join_all;
use time::OffsetDateTime;

use super::keys;
use super::model::{QueueName, Receipt, ReceivedMessage};
use super::scripts::{self, call};
use crate::broker::{Broker, Patience, outcome_unknown};
use crate::delivery::{Budget, Share};
use crate::failure::Failure;
use crate::lane::{Lane, Rules};

/// The maximum of bytes of messages in one answer; its first message may be of any size.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// All reliable queues.
pub(super) struct Queues {
    broker: Broker,
    push: Lane<push::Push, Vec<String>>,
    receive: Lane<receive::Receive, receive::Answer>,
    acknowledge: Lane<acknowledge::Acknowledge, bool>,
}

/// Messages for one receiver.
pub(super) struct Handed {
    pub(super) messages: Vec<ReceivedMessage>,
    /// Their share of the bytes in transit to clients.
    pub(super) share: Share,
}

impl Queues {
    /// Opens the lanes; must be called inside the async runtime.
    pub(super) fn new(broker: &Broker, budget: &Budget) -> Self {
        let of = || broker.clone();
        let (pushing, receiving, acknowledging) = (of(), Arc::new((of(), budget.clone())), of());
        Self {
            broker: of(),
            push: Lane::new(rules("queue_push", push::Push::bytes), move |batch| {
                push::run(pushing.clone(), batch)
            }),
            receive: Lane::new(rules("queue_receive", |_| 0), move |batch| {
                receive::run(Arc::clone(&receiving), batch)
            }),
            acknowledge: Lane::new(rules("queue_acknowledge", |_| 0), move |batch| {
                acknowledge::run(acknowledging.clone(), batch)
            }),
        }
    }

    /// Leaves a message to its receiver for this many seconds from now; false if its receipt is not valid any more.
    pub(super) async fn defer(
        &self,
        queue: &QueueName,
        receipt: &Receipt,
        visibility: u64,
    ) -> Result<bool, Failure> {
        let mut call = call(&scripts::DEFER, queue);
        call.arg(&receipt.message).arg(&receipt.nonce).arg(visibility);
        self.broker.run(call, Patience::usual()).await
    }

    /// Returns messages of one delivery to the queue as if they had not been received.
    pub(super) async fn undo(&self, queue: &QueueName, nonce: &str, ids: &[String]) -> Result<(), Failure> {
        let mut call = call(&scripts::UNDO, queue);
        call.arg(nonce).arg(ids);
        self.broker.run(call, Patience::usual()).await
    }
}

/// One batch at a time, for all queues.
fn rules<I>(name: &'static str, bytes: fn(&I) -> usize) -> Rules<I, ()> {
    Rules {
        bytes,
        ..Rules::new(name, outcome_unknown)
    }
}

/// A client's request to a queue.
trait Asked {
    fn queue(&self) -> &QueueName;
}

/// Runs one call per queue, all concurrently, and returns the answers in the order of the items.
async fn by_queue<I: Asked, T, F>(
    items: Vec<I>,
    run: impl Fn(QueueName, Vec<I>) -> F,
) -> Vec<Result<T, Failure>>
where
    F: Future<Output = Result<Vec<T>, Failure>>,
{
    let mut answers: Vec<_> = items.iter().map(|_| Err(unanswered())).collect();
    let mut queues: HashMap<QueueName, (Vec<usize>, Vec<I>)> = HashMap::new();
    for (position, item) in items.into_iter().enumerate() {
        let (positions, items) = match queues.get_mut(item.queue()) {
            Some(queue) => queue,
            None => queues.entry(item.queue().clone()).or_default(),
        };
        positions.push(position);
        items.push(item);
    }
    let calls = queues.into_iter().map(|(queue, (positions, items))| {
        let call = run(queue, items);
        async { (positions, call.await) }
    });
    for (positions, found) in join_all(calls).await {
        let mut found = found.map(Vec::into_iter);
        for position in positions {
            let answer = match &mut found {
                Ok(found) => found.next().ok_or_else(unanswered),
                Err(error) => Err(error.clone()),
            };
            if let Some(slot) = answers.get_mut(position) {
                *slot = answer;
            }
        }
    }
    answers
}

fn unanswered() -> Failure {
    Failure::Bug("Redis answered for fewer than were asked for".to_owned())
}

/// From microseconds since 1970.
fn time(microseconds: &str) -> Result<OffsetDateTime, Failure> {
    let parsed = microseconds.parse::<i128>().ok();
    parsed
        .and_then(|number| OffsetDateTime::from_unix_timestamp_nanos(number.checked_mul(1000)?).ok())
        .ok_or_else(|| Failure::Bug(format!("{microseconds:?} is not a time")))
}

/// The command that adds a queue to the set of names.
fn naming(queue: &QueueName) -> redis::Cmd {
    let mut name = cmd("SADD");
    name.arg(keys::NAMES).arg(queue.as_str());
    name
}
