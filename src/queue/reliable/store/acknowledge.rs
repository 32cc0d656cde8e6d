//! Acknowledging: what waits for one queue is one call.

use super::{Queues, call, each, rules as lane_rules, scripts};
use crate::broker::{Broker, BrokerError, Patience};
use crate::lane::{Batch, Rules};
use crate::queue::reliable::model::{QueueName, Receipt};

/// What one client acknowledges.
pub(super) struct Acknowledge {
    queue: QueueName,
    receipt: Receipt,
}

impl Queues {
    /// Removes a message that was received; false if it is not the receiver's any more.
    pub(in crate::queue::reliable) async fn acknowledge(
        &self,
        queue: QueueName,
        receipt: Receipt,
    ) -> Result<bool, BrokerError> {
        self.acknowledge.ask(Acknowledge { queue, receipt }).await
    }
}

pub(super) fn rules() -> Rules<Acknowledge, BrokerError> {
    lane_rules("queue_acknowledge", |one, other| one.queue == other.queue, |_| 0)
}

pub(super) async fn acknowledge(
    broker: Broker,
    batch: Batch<Acknowledge>,
) -> Vec<Result<bool, BrokerError>> {
    let Some(Acknowledge { queue, .. }) = batch.items.first() else {
        return Vec::new();
    };
    let mut call = call(&scripts::ACKNOWLEDGE, queue);
    for Acknowledge { receipt, .. } in &batch.items {
        call.arg(&receipt.message).arg(&receipt.nonce);
    }
    let answers = broker.run(call, Patience::beginning_by(batch.begin_by)).await;
    each(answers, batch.items.len())
}
