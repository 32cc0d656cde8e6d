//! Receiving: concurrent requests for one queue share one call, bounded by the bytes in transit to clients.

use std::sync::Arc;

use rocket::tokio::time::Instant;
use ulid::Ulid;

use super::{Asked, Handed, MOST_BYTES, Queues, by_queue, call, scripts, time};
use crate::broker::{Broker, Patience};
use crate::delivery::{Budget, Share};
use crate::failure::Failure;
use crate::lane::Batch;
use crate::queues::model::{QueueName, Receipt, ReceivedMessage, Terms};

/// One client's request.
pub(super) struct Receive {
    queue: QueueName,
    terms: Terms,
}

/// A client's share of its batch.
pub(super) enum Answer {
    Messages(Handed),
    /// None is ready.
    Nothing,
    /// More are ready than one call returns.
    Later,
}

impl Queues {
    /// Receives ready messages, without waiting.
    pub(in crate::queues) async fn receive(
        &self,
        queue: &QueueName,
        terms: &Terms,
    ) -> Result<Option<Handed>, Failure> {
        let since = Instant::now();
        loop {
            let (queue, terms) = (queue.clone(), *terms);
            match self.receive.ask_since(Receive { queue, terms }, since).await? {
                Answer::Messages(handed) => return Ok(Some(handed)),
                Answer::Nothing => return Ok(None),
                Answer::Later => {}
            }
        }
    }
}

impl Asked for Receive {
    fn queue(&self) -> &QueueName {
        &self.queue
    }
}

pub(super) async fn run(with: Arc<(Broker, Budget)>, batch: Batch<Receive>) -> Vec<Result<Answer, Failure>> {
    let begin_by = batch.begin_by;
    by_queue(batch.items, |queue, receivers| {
        receive(Arc::clone(&with), queue, receivers, begin_by)
    })
    .await
}

type Found = (bool, Vec<Vec<(String, String, u32)>>);

async fn receive(
    with: Arc<(Broker, Budget)>,
    queue: QueueName,
    receivers: Vec<Receive>,
    begin_by: Instant,
) -> Result<Vec<Answer>, Failure> {
    let (broker, budget) = &*with;
    let mut share = budget.take(begin_by).await?;
    let nonce = Ulid::generate().to_string();
    let mut call = call(&scripts::RECEIVE, &queue);
    call.arg(share.bytes()).arg(MOST_BYTES).arg(&nonce);
    for Receive { terms, .. } in &receivers {
        call.arg(terms.max).arg(terms.visibility);
    }
    let (more, found): Found = broker.run(call, Patience::beginning_by(begin_by)).await?;
    let answer = |found: Vec<_>| match found.is_empty() {
        false => hand(found, &nonce, &mut share).map(Answer::Messages),
        true if more => Ok(Answer::Later),
        true => Ok(Answer::Nothing),
    };
    found.into_iter().map(answer).collect()
}

fn hand(found: Vec<(String, String, u32)>, nonce: &str, share: &mut Share) -> Result<Handed, Failure> {
    let bytes = found.iter().map(|(_, message, _)| message.len()).sum();
    let messages = found
        .into_iter()
        .map(|(id, message, attempts)| received(id, message, attempts, nonce));
    Ok(Handed {
        messages: messages.collect::<Result<_, _>>()?,
        share: share.split(bytes),
    })
}

fn received(id: String, message: String, attempts: u32, nonce: &str) -> Result<ReceivedMessage, Failure> {
    let receipt = Receipt {
        message: id.clone(),
        nonce: nonce.to_owned(),
    };
    Ok(ReceivedMessage {
        enqueued_at: time(&id)?,
        receipt: receipt.to_string(),
        id,
        message,
        attempts,
    })
}
