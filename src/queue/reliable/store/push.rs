//! Pushing: what waits for one queue is one call.

use super::{Queues, call, each, naming, rules as lane_rules, scripts};
use crate::broker::{Broker, BrokerError, Patience};
use crate::lane::{Batch, Rules};
use crate::queue::reliable::model::QueueName;

/// What one client pushes.
pub(super) struct Push {
    queue: QueueName,
    messages: Vec<String>,
    /// Seconds.
    delay: u64,
}

impl Queues {
    /// Adds all of these messages at the end, or none, and returns their ids. They can be received from `delay`
    /// seconds on.
    pub(in crate::queue::reliable) async fn push(
        &self,
        queue: &QueueName,
        messages: Vec<String>,
        delay: u64,
    ) -> Result<Vec<String>, BrokerError> {
        let queue = queue.clone();
        self.push
            .ask(Push {
                queue,
                messages,
                delay,
            })
            .await
    }
}

pub(super) fn rules() -> Rules<Push, BrokerError> {
    lane_rules(
        "queue_push",
        |one, other| one.queue == other.queue,
        |push| push.messages.iter().map(String::len).sum(),
    )
}

pub(super) async fn push(broker: Broker, batch: Batch<Push>) -> Vec<Result<Vec<String>, BrokerError>> {
    let patience = Patience::beginning_by(batch.begin_by);
    each(push_all(&broker, &batch.items, patience).await, batch.items.len())
}

async fn push_all(
    broker: &Broker,
    pushes: &[Push],
    patience: Patience,
) -> Result<Vec<Vec<String>>, BrokerError> {
    let Some(Push { queue, .. }) = pushes.first() else {
        return Ok(Vec::new());
    };
    // A name that is there already costs nothing but its bytes in the same packet.
    let mut call = call(&scripts::PUSH, queue).after(naming(queue));
    for push in pushes {
        call.arg(push.delay).arg(push.messages.len()).arg(&push.messages);
    }
    let first: u64 = broker.run(call, patience).await?;
    let mut ids = first..;
    let of = |push: &Push| ids.by_ref().take(push.messages.len()).map(|id| id.to_string()).collect();
    Ok(pushes.iter().map(of).collect())
}
