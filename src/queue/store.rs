//! The plain queue, a Redis list: `RPUSH` adds at its end, a script removes at its head, immediately.
//! Both have a lane: concurrent pushes share one command, and so do concurrent pops.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::cmd;
use rocket::tokio::time::Instant;

use super::keys;
use super::metrics::METRICS;
use super::popped::{Held, PoppedMessage, Returns};
use crate::broker::{Broker, Patience, Script, outcome_unknown};
use crate::delivery::{Budget, Share};
use crate::failure::Failure;
use crate::lane::{Batch, Lane, Rules};

static POP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/pop.lua")));

/// The queue in Redis.
pub(super) struct Queue {
    broker: Broker,
    push: Lane<String, ()>,
    pop: Lane<(), Popped>,
}

/// A client's share of its batch.
enum Popped {
    Message(PoppedMessage),
    /// The queue was empty.
    Nothing,
    /// There were more messages than the budget allowed.
    Later,
}

impl Queue {
    /// Opens the lanes; must be called inside the async runtime. `process` is held until popped messages are
    /// sent or back.
    pub(super) fn new(broker: &Broker, budget: &Budget, process: Held) -> Self {
        let pushing = broker.clone();
        let push = move |batch| push_all(pushing.clone(), batch);
        let popping = Arc::new(Popping {
            broker: broker.clone(),
            budget: budget.clone(),
            returns: Returns::to(broker.clone(), process),
            popped: AtomicU64::new(0),
        });
        let pop = move |batch| pop_many(Arc::clone(&popping), batch);
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
    pub(super) async fn push(&self, message: String) -> Result<(), Failure> {
        self.push.ask(message).await?;
        METRICS.pushes.inc();
        Ok(())
    }

    /// Removes the oldest message, if there is one.
    ///
    /// # Errors
    /// As [`Broker::write`], or too many requests wait, or too many answers have not been sent yet.
    pub(super) async fn pop(&self) -> Result<Option<PoppedMessage>, Failure> {
        let since = Instant::now();
        let message = loop {
            match self.pop.ask_since((), since).await? {
                Popped::Message(message) => break Some(message),
                Popped::Nothing => break None,
                Popped::Later => {}
            }
        };
        let outcome = if message.is_some() { "message" } else { "empty" };
        METRICS.pops.with_label_values(&[outcome]).inc();
        Ok(message)
    }

    /// The number of messages.
    ///
    /// # Errors
    /// As [`Broker::read`].
    pub(super) async fn count(&self) -> Result<u64, Failure> {
        self.broker.read(cmd("LLEN").arg(keys::MESSAGES)).await
    }
}

/// One batch at a time: messages stay in the order of their arrival.
fn rules<I>(name: &'static str, bytes: fn(&I) -> usize) -> Rules<I, ()> {
    Rules {
        bytes,
        ..Rules::new(name, outcome_unknown)
    }
}

/// Pushes messages in their order.
async fn push_all(broker: Broker, batch: Batch<String>) -> Vec<Result<(), Failure>> {
    let mut push = cmd("RPUSH");
    push.arg(keys::MESSAGES).arg(&batch.items);
    let pushed = broker
        .write::<()>(push, Patience::beginning_by(batch.begin_by))
        .await;
    vec![pushed; batch.items.len()]
}

/// The state that pops need.
struct Popping {
    broker: Broker,
    budget: Budget,
    returns: Returns,
    /// The number of messages popped so far.
    popped: AtomicU64,
}

/// Pops one message per client, as far as the queue has them and the budget has room for them.
async fn pop_many(popping: Arc<Popping>, batch: Batch<()>) -> Vec<Result<Popped, Failure>> {
    let clients = batch.items.len();
    popping
        .pop(clients, batch.begin_by)
        .await
        .unwrap_or_else(|error| {
            let refused = || Err(error.clone());
            std::iter::repeat_with(refused).take(clients).collect()
        })
}

/// Whether there are more, and the messages.
type Answer = (bool, Vec<Vec<u8>>);

impl Popping {
    async fn pop(
        self: &Arc<Self>,
        clients: usize,
        begin_by: Instant,
    ) -> Result<Vec<Result<Popped, Failure>>, Failure> {
        let _on_the_way = self.returns.clone(); // which the messages are, from now on
        let share = self.budget.take(begin_by).await?;
        let mut call = POP.on(&[keys::MESSAGES]);
        call.arg(clients).arg(share.bytes());
        // If the answer is too late for the clients, the messages go back.
        let late = Arc::clone(self);
        let back = move |(_, messages): Answer| drop(late.take(messages, None));
        let patience = Patience::beginning_by(begin_by);
        let (more, messages): Answer = self.broker.run_or_later(call, patience, back).await?;
        let mut messages = self.take(messages, Some(share)).into_iter().map(Popped::Message);
        let rest = || if more { Popped::Later } else { Popped::Nothing };
        Ok((0..clients)
            .map(|_| Ok(messages.next().unwrap_or_else(rest)))
            .collect())
    }

    fn take(&self, messages: Vec<Vec<u8>>, mut share: Option<Share>) -> Vec<PoppedMessage> {
        let take = |message: Vec<u8>| {
            let share = share.as_mut().map(|share| share.split(message.len()));
            let position = self.popped.fetch_add(1, Ordering::Relaxed);
            PoppedMessage::new(position, message, share, &self.returns)
        };
        messages.into_iter().map(take).collect()
    }
}
