//! Operations on whole queues: numbers, dead letters, purging, deleting.

use redis::cmd;
use rocket::futures::{StreamExt, TryStreamExt, stream};

use super::keys;
use super::{MOST_BYTES, Queues, call, scripts, time};
use crate::broker::Patience;
use crate::failure::Failure;
use crate::queues::model::{DeadLetter, Numbers, QueueName};

/// The number of queues that a list reads at once.
const AT_ONCE: usize = 64;

impl Queues {
    /// None for a queue that was never pushed to.
    pub(in crate::queues) async fn numbers(
        &self,
        queue: QueueName,
        patience: Patience,
    ) -> Result<Option<Numbers>, Failure> {
        type Answer = (bool, u64, u64, u64, u64, u64, u64, u64);
        let answer = self
            .broker
            .look(call(&scripts::NUMBERS, &queue), patience)
            .await?;
        let (exists, ready, delayed, in_flight, dead, dead_dropped, oldest, now): Answer = answer;
        Ok(exists.then(|| Numbers {
            name: queue.as_str().to_owned(),
            ready,
            delayed,
            in_flight,
            dead,
            dead_dropped,
            oldest_age_seconds: (oldest > 0).then(|| seconds(now.saturating_sub(oldest))),
        }))
    }

    /// The numbers of every queue, by name.
    pub(in crate::queues) async fn list(&self) -> Result<Vec<Numbers>, Failure> {
        let patience = Patience::usual();
        let mut names: Vec<String> = self.broker.read(cmd("SMEMBERS").arg(keys::NAMES)).await?;
        names.sort_unstable();
        stream::iter(names)
            .filter_map(|name| async move { QueueName::parse(&name) })
            .map(|name| self.numbers(name, patience))
            .buffered(AT_ONCE)
            .try_filter_map(|numbers| async { Ok(numbers) })
            .try_collect()
            .await
    }

    /// The dead letters, the oldest first.
    pub(in crate::queues) async fn dead(
        &self,
        queue: &QueueName,
        limit: u64,
    ) -> Result<Vec<DeadLetter>, Failure> {
        let mut call = call(&scripts::DEAD, queue);
        call.arg(limit).arg(MOST_BYTES);
        let found: Vec<(String, String, u32, String)> = self.broker.look(call, Patience::usual()).await?;
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

    /// Redrives at most `max` dead letters of those present at the beginning, and returns how many.
    pub(in crate::queues) async fn redrive(&self, queue: &QueueName, max: u64) -> Result<u64, Failure> {
        let (mut wanted, mut total) = (max, 0);
        while wanted > 0 {
            let mut call = call(&scripts::REDRIVE, queue);
            call.arg(wanted);
            let answer = self.broker.run(call, Patience::usual()).await;
            let (redriven, left): (u64, u64) = answer.map_err(|error| match error {
                Failure::Unavailable(backend, reason) if total > 0 => {
                    Failure::OutcomeUnknown(backend, reason)
                }
                error => error,
            })?;
            total += redriven;
            wanted = wanted.saturating_sub(redriven).min(left);
        }
        Ok(total)
    }

    /// Removes all messages except dead letters, and returns how many.
    pub(in crate::queues) async fn purge(&self, queue: &QueueName) -> Result<u64, Failure> {
        let call = call(&scripts::PURGE, queue);
        self.broker.run(call, Patience::usual()).await
    }

    /// Removes all dead letters, and returns how many.
    pub(in crate::queues) async fn purge_dead(&self, queue: &QueueName) -> Result<u64, Failure> {
        let call = call(&scripts::PURGE_DEAD, queue);
        self.broker.run(call, Patience::usual()).await
    }

    /// Removes a queue and everything in it; false if it does not exist.
    pub(in crate::queues) async fn delete(&self, queue: &QueueName) -> Result<bool, Failure> {
        // The name first: a push between the two leaves a name without a queue, and never a queue
        // without a name.
        let mut forget = cmd("SREM");
        forget.arg(keys::NAMES).arg(queue.as_str());
        let call = call(&scripts::DELETE, queue).after(forget);
        self.broker.run(call, Patience::usual()).await
    }
}

fn seconds(microseconds: u64) -> f64 {
    std::time::Duration::from_micros(microseconds).as_secs_f64()
}
