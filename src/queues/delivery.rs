//! An answer whose messages return to the queue at once if its client has disconnected.
//!
//! A message lost further on returns after its visibility timeout.

use std::sync::Arc;

use rocket::Request;
use rocket::response::{self, Responder};
use rocket::tokio::runtime::Handle;

use super::model::{QueueName, Receipt};
use super::store::{Handed, Queues};
use super::waiters::Waiters;
use crate::delivery::{self, Delivered, Share};
use crate::http::json::done_with;

/// Messages in transit to a receiver.
pub(super) struct Delivery {
    pub(super) queues: Arc<Queues>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) queue: QueueName,
    pub(super) handed: Option<Handed>,
}

impl<'r> Responder<'r, 'static> for Delivery {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let (messages, share) = match self.handed {
            Some(Handed { messages, share }) => (messages, Some(share)),
            None => (Vec::new(), None),
        };
        let text = done_with("messages", &messages).text()?;
        let receipts = messages.iter().map(|message| &message.receipt);
        let unsent = Unsent {
            queues: self.queues,
            waiters: self.waiters,
            queue: self.queue,
            receipts: receipts.filter_map(|receipt| Receipt::parse(receipt)).collect(),
        };
        delivery::respond(text, InFlight(Some(unsent), share))
    }
}

/// Held only until the answer is sent.
struct InFlight(
    Option<Unsent>,
    #[expect(dead_code, reason = "it is there to be dropped")] Option<Share>,
);

struct Unsent {
    queues: Arc<Queues>,
    waiters: Arc<Waiters>,
    queue: QueueName,
    receipts: Vec<Receipt>,
}

impl Delivered for InFlight {
    fn delivered(&mut self) {
        self.0 = None;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let (Some(unsent), Ok(runtime)) = (self.0.take(), Handle::try_current()) else {
            return;
        };
        if !unsent.receipts.is_empty() {
            runtime.spawn(unsent.give_back());
        }
    }
}

impl Unsent {
    /// They are of one delivery, and so have one nonce.
    async fn give_back(self) {
        let Some(Receipt { nonce, .. }) = self.receipts.first().cloned() else {
            return;
        };
        let ids: Vec<String> = self.receipts.into_iter().map(|receipt| receipt.message).collect();
        if let Err(error) = self.queues.undo(&self.queue, &nonce, &ids).await {
            tracing::warn!(%error, "messages that nobody took come back when their time is over");
        }
        self.waiters.wake(&self.queue);
    }
}
