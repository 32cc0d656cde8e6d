//! Pushing: concurrent requests for one queue share one call.

use super::{Asked, Queues, by_queue, call, naming, scripts};
use crate::broker::{Broker, Patience};
use crate::failure::Failure;
use crate::lane::Batch;
use crate::queues::model::QueueName;

/// Bytes that a message counts in addition to its text: so a batch has at most about 8,000 messages, however short, and
/// keeps Redis busy for milliseconds.
const MESSAGE: usize = 128;

/// One client's push.
pub(super) struct Push {
    queue: QueueName,
    messages: Vec<String>,
    /// In seconds.
    delay: u64,
}

impl Queues {
    /// Adds all of these messages at the end, or none, and returns their ids. They become ready after `delay`
    /// seconds.
    pub(in crate::queues) async fn push(
        &self,
        queue: &QueueName,
        messages: Vec<String>,
        delay: u64,
    ) -> Result<Vec<String>, Failure> {
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

impl Push {
    pub(super) fn bytes(&self) -> usize {
        self.messages.iter().map(|message| MESSAGE + message.len()).sum()
    }
}

impl Asked for Push {
    fn queue(&self) -> &QueueName {
        &self.queue
    }
}

pub(super) async fn run(broker: Broker, batch: Batch<Push>) -> Vec<Result<Vec<String>, Failure>> {
    let patience = Patience::beginning_by(batch.begin_by);
    by_queue(batch.items, |queue, pushes| {
        push(broker.clone(), queue, pushes, patience)
    })
    .await
}

async fn push(
    broker: Broker,
    queue: QueueName,
    pushes: Vec<Push>,
    patience: Patience,
) -> Result<Vec<Vec<String>>, Failure> {
    // An existing name costs nothing but its bytes in the same packet.
    let mut call = call(&scripts::PUSH, &queue).after(naming(&queue));
    for push in &pushes {
        call.arg(push.delay).arg(push.messages.len()).arg(&push.messages);
    }
    let first: u64 = broker.add(call, patience).await?;
    let mut ids = first..;
    let of = |push: &Push| {
        ids.by_ref()
            .take(push.messages.len())
            .map(|id| id.to_string())
            .collect()
    };
    Ok(pushes.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::{Push, QueueName};

    #[test]
    fn messages_without_a_text_count_too() {
        let push = Push {
            queue: QueueName::parse("q").unwrap(),
            messages: vec![String::new(); 1000],
            delay: 0,
        };
        assert!(push.bytes() > 100_000);
    }
}
