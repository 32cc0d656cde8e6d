//! A reliable queue in Redis.
//!
//! A message has an id, the time of its push in microseconds, which grows by at least one from message to
//! message and so is its place in the queue too. `messages` holds its text, and its id is in one of these
//! sorted sets:
//!
//! - `ready`, by id: it waits for a receiver, the oldest first;
//! - `delayed`, by the time from which on it is ready;
//! - `in_flight`, by the time until which its receiver alone has it;
//! - `dead`, by the time at which it was given up; its text is in `dead_messages` then, so that the others
//!   can be unlinked without looking at each.
//!
//! To receive is to move the head of `ready` to `in_flight` and to note in `deliveries` the number of attempts
//! and a new nonce. The receipt is id and nonce. To acknowledge is to remove the message, wherever it is, if
//! the nonce is still the noted one: nobody else has received it since. Nothing runs by itself: whoever
//! receives or looks first moves what is due, from `delayed` to `ready`, and from `in_flight` to `ready` or,
//! after the last attempt, to `dead`.
//!
//! Each of these is one script, which Redis runs whole or not at all, by its own clock, and which does a bounded
//! amount of work. A process of ours that dies takes nothing with it: what it had received is in `in_flight`.
//! All keys of a queue share a hash tag. The set of all names cannot, so a name is added before the first push
//! and not with it: a crash between the two leaves a name without a queue, which lists leave out.

use redis::cmd;
use rocket::futures::{StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;
use ulid::Ulid;

use super::model::{DeadLetter, Numbers, QueueName, Receipt, Received, Terms};
use super::scripts::{self, call};
use crate::broker::{Broker, BrokerError, keys};

/// Bytes of messages in one answer; the first message is in it however large it is.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Queues that a list asks for at once.
const AT_ONCE: usize = 64;

/// Adds all of these messages at the end, or none, and returns their ids. They can be received from `delay`
/// seconds on.
pub(super) async fn push(
    broker: &Broker,
    queue: &QueueName,
    messages: &[String],
    delay: u64,
) -> Result<Vec<String>, BrokerError> {
    let named: Result<(), _> = broker
        .write(cmd("SADD").arg(keys::RELIABLE_QUEUES).arg(queue.as_str()))
        .await;
    named.map_err(harmless)?;
    broker
        .run(call(&scripts::PUSH, queue).arg(delay).arg(messages))
        .await
}

/// Receives what is ready, without waiting.
pub(super) async fn receive(
    broker: &Broker,
    queue: &QueueName,
    terms: &Terms,
) -> Result<Vec<Received>, BrokerError> {
    let nonce = Ulid::generate().to_string();
    let mut call = call(&scripts::RECEIVE, queue);
    call.arg(terms.max)
        .arg(MOST_BYTES)
        .arg(terms.visibility)
        .arg(&nonce);
    let received: Vec<(String, String, u32)> = broker.run(&call).await?;
    let received = received.into_iter().map(|(id, message, attempts)| {
        let receipt = Receipt {
            message: id.clone(),
            nonce: nonce.clone(),
        };
        Ok(Received {
            enqueued_at: time(&id)?,
            receipt: receipt.to_string(),
            id,
            message,
            attempts,
        })
    });
    received.collect()
}

/// Removes a message that was received; false if it is not the receiver's any more.
pub(super) async fn acknowledge(
    broker: &Broker,
    queue: &QueueName,
    receipt: &Receipt,
) -> Result<bool, BrokerError> {
    let mut call = call(&scripts::ACKNOWLEDGE, queue);
    broker.run(call.arg(&receipt.message).arg(&receipt.nonce)).await
}

/// Leaves a message to its receiver for so many seconds from now; false if it is not the receiver's any more.
pub(super) async fn defer(
    broker: &Broker,
    queue: &QueueName,
    receipt: &Receipt,
    visibility: u64,
) -> Result<bool, BrokerError> {
    let mut call = call(&scripts::DEFER, queue);
    call.arg(&receipt.message).arg(&receipt.nonce).arg(visibility);
    broker.run(&call).await
}

/// Puts messages of one delivery back as if they had not been received.
pub(super) async fn undo(
    broker: &Broker,
    queue: &QueueName,
    nonce: &str,
    ids: &[String],
) -> Result<(), BrokerError> {
    broker.run(call(&scripts::UNDO, queue).arg(nonce).arg(ids)).await
}

/// Nothing for a queue that nobody has ever pushed to.
pub(super) async fn numbers(broker: &Broker, queue: QueueName) -> Result<Option<Numbers>, BrokerError> {
    type Answer = (bool, u64, u64, u64, u64, u64, u64);
    let answer = broker.run(&call(&scripts::NUMBERS, &queue)).await;
    let (exists, ready, delayed, in_flight, dead, oldest, now): Answer = answer.map_err(harmless)?;
    Ok(exists.then(|| Numbers {
        name: queue.as_str().to_owned(),
        ready,
        delayed,
        in_flight,
        dead,
        oldest_age_seconds: (oldest > 0).then(|| seconds(now.saturating_sub(oldest))),
    }))
}

/// The numbers of every queue, by name.
pub(super) async fn list(broker: &Broker) -> Result<Vec<Numbers>, BrokerError> {
    let mut names: Vec<String> = broker.read(cmd("SMEMBERS").arg(keys::RELIABLE_QUEUES)).await?;
    names.sort_unstable();
    stream::iter(names)
        .filter_map(|name| async move { QueueName::parse(&name).ok() })
        .map(|name| numbers(broker, name))
        .buffered(AT_ONCE)
        .try_filter_map(|numbers| async { Ok(numbers) })
        .try_collect()
        .await
}

/// The dead letters, the first to die first.
pub(super) async fn dead(
    broker: &Broker,
    queue: &QueueName,
    limit: u64,
) -> Result<Vec<DeadLetter>, BrokerError> {
    let mut call = call(&scripts::DEAD, queue);
    let answer = broker.run(call.arg(limit).arg(MOST_BYTES)).await;
    let found: Vec<(String, String, u32, String)> = answer.map_err(harmless)?;
    let letters = found.into_iter().map(|(id, message, attempts, died)| {
        Ok(DeadLetter {
            enqueued_at: time(&id)?,
            dead_since: time(&died)?,
            id,
            message,
            attempts,
        })
    });
    letters.collect()
}

/// Sends at most `max` dead letters back, those that were there at the beginning, and returns how many.
pub(super) async fn redrive(broker: &Broker, queue: &QueueName, max: u64) -> Result<u64, BrokerError> {
    let (mut wanted, mut total) = (max, 0);
    while wanted > 0 {
        let answer = broker.run(call(&scripts::REDRIVE, queue).arg(wanted)).await;
        let (redriven, left): (u64, u64) = answer.map_err(|error| match error {
            BrokerError::Unavailable(reason) if total > 0 => BrokerError::OutcomeUnknown(reason),
            error => error,
        })?;
        total += redriven;
        wanted = wanted.saturating_sub(redriven).min(left);
    }
    Ok(total)
}

/// Removes every message but the dead letters, and returns how many.
pub(super) async fn purge(broker: &Broker, queue: &QueueName) -> Result<u64, BrokerError> {
    broker.run(&call(&scripts::PURGE, queue)).await
}

/// Removes every dead letter, and returns how many.
pub(super) async fn purge_dead(broker: &Broker, queue: &QueueName) -> Result<u64, BrokerError> {
    broker.run(&call(&scripts::PURGE_DEAD, queue)).await
}

/// After a command that may always be sent again it does not matter whether it was carried out.
fn harmless(error: BrokerError) -> BrokerError {
    match error {
        BrokerError::OutcomeUnknown(reason) => BrokerError::Unavailable(reason),
        error => error,
    }
}

fn seconds(microseconds: u64) -> f64 {
    std::time::Duration::from_micros(microseconds).as_secs_f64()
}

/// From microseconds since 1970.
fn time(microseconds: &str) -> Result<OffsetDateTime, BrokerError> {
    let parsed = microseconds.parse::<i128>().ok();
    parsed
        .and_then(|number| OffsetDateTime::from_unix_timestamp_nanos(number.checked_mul(1000)?).ok())
        .ok_or_else(|| BrokerError::Bug(format!("{microseconds:?} is no time")))
}
