//! The one plain queue, a Redis list: `RPUSH` adds at its end, `LPOP` removes at its head, at once and for good.
//! Both have a lane: what many push is one command, and so is what many pop.

use redis::cmd;

use crate::broker::{Broker, BrokerError, keys};
use crate::lane::{Batch, Lane, Rules};
use crate::telemetry::metrics::METRICS;

/// Bytes of messages after which a command is full, so that no command is much larger than one message can be.
const COMMAND_FULL: usize = 1024 * 1024;

/// The queue in Redis.
pub struct Queue {
    broker: Broker,
    push: Lane<String, (), BrokerError>,
    pop: Lane<(), Option<String>, BrokerError>,
}

impl Queue {
    /// Opens the lanes; to be called inside the async runtime.
    #[must_use]
    pub fn new(broker: &Broker) -> Self {
        let (pushing, popping) = (broker.clone(), broker.clone());
        let push = move |batch: Batch<String>| push_all(pushing.clone(), batch.items);
        let pop = move |batch: Batch<()>| pop_many(popping.clone(), batch.items.len());
        Self {
            broker: broker.clone(),
            push: Lane::new(rules("push", String::len), push),
            pop: Lane::new(rules("pop", |()| 0), pop),
        }
    }

    /// Adds a message at the end.
    ///
    /// # Errors
    /// As [`Broker::write`], or too many requests wait.
    pub async fn push(&self, message: String) -> Result<(), BrokerError> {
        self.push.ask(message).await?;
        METRICS.queue_pushes.inc();
        Ok(())
    }

    /// Removes the oldest message, if there is one.
    ///
    /// # Errors
    /// As [`Broker::write`], or too many requests wait.
    pub async fn pop(&self) -> Result<Option<String>, BrokerError> {
        let message = self.pop.ask(()).await?;
        let outcome = if message.is_some() { "message" } else { "empty" };
        METRICS.queue_pops.with_label_values(&[outcome]).inc();
        Ok(message)
    }

    /// How many messages there are.
    ///
    /// # Errors
    /// As [`Broker::read`].
    pub async fn count(&self) -> Result<u64, BrokerError> {
        self.broker.read(cmd("LLEN").arg(keys::MESSAGE_QUEUE)).await
    }
}

/// One batch after the other: messages stay in the order in which they came.
fn rules<I>(name: &'static str, bytes: fn(&I) -> usize) -> Rules<I, BrokerError> {
    Rules {
        name,
        together: |_, _| true,
        bytes,
        side_by_side: 1,
        no_answer: BrokerError::OutcomeUnknown,
    }
}

/// Pushes messages in their order.
async fn push_all(broker: Broker, messages: Vec<String>) -> Vec<Result<(), BrokerError>> {
    let mut outcomes = Vec::with_capacity(messages.len());
    let mut rest = messages.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest));
        let mut push = cmd("RPUSH");
        push.arg(keys::MESSAGE_QUEUE).arg(now);
        let outcome = broker.write::<()>(&push).await;
        outcomes.resize(outcomes.len() + now.len(), outcome);
        rest = later;
    }
    outcomes
}

/// How many of the messages one command takes, 1 at least.
fn fitting(messages: &[String]) -> usize {
    let mut bytes = 0;
    let full = messages.iter().position(|message| {
        bytes += message.len();
        bytes >= COMMAND_FULL
    });
    full.map_or(messages.len(), |last| last + 1)
}

/// Pops as many messages as there are clients, or those that there are.
async fn pop_many(broker: Broker, clients: usize) -> Vec<Result<Option<String>, BrokerError>> {
    let mut pop = cmd("LPOP");
    pop.arg(keys::MESSAGE_QUEUE).arg(clients);
    match broker.write::<Option<Vec<Vec<u8>>>>(&pop).await {
        Ok(messages) => {
            let mut messages = messages.unwrap_or_default().into_iter().map(text);
            (0..clients).map(|_| Ok(messages.next())).collect()
        }
        Err(error) => vec![Err(error); clients],
    }
}

/// What is pushed here is UTF-8. What others may have put into Redis is not lost, nor are its neighbours, if it is not.
fn text(message: Vec<u8>) -> String {
    String::from_utf8(message).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
