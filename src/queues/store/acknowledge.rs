//! Acknowledging: concurrent requests for one queue share one call.

use super::{Asked, Queues, by_queue, call, scripts};
use crate::broker::{Broker, Patience};
use crate::failure::Failure;
use crate::lane::Batch;
use crate::queues::model::{QueueName, Receipt};

/// One client's acknowledgement.
pub(super) struct Acknowledge {
    queue: QueueName,
    receipt: Receipt,
}

impl Queues {
    /// Removes a received message; false if its receipt is not valid any more.
    pub(in crate::queues) async fn acknowledge(
        &self,
        queue: QueueName,
        receipt: Receipt,
    ) -> Result<bool, Failure> {
        self.acknowledge.ask(Acknowledge { queue, receipt }).await
    }
}

impl Asked for Acknowledge {
    fn queue(&self) -> &QueueName {
        &self.queue
    }
}

pub(super) async fn run(broker: Broker, batch: Batch<Acknowledge>) -> Vec<Result<bool, Failure>> {
    let patience = Patience::beginning_by(batch.begin_by);
    by_queue(batch.items, |queue, receipts| {
        acknowledge(broker.clone(), queue, receipts, patience)
    })
    .await
}

async fn acknowledge(
    broker: Broker,
    queue: QueueName,
    acknowledged: Vec<Acknowledge>,
    patience: Patience,
) -> Result<Vec<bool>, Failure> {
    let mut call = call(&scripts::ACKNOWLEDGE, &queue);
    for Acknowledge { receipt, .. } in &acknowledged {
        call.arg(&receipt.message).arg(&receipt.nonce);
    }
    broker.run(call, patience).await
}
