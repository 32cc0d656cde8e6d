//! An answer whose messages go back to the queue at once when its client has left meanwhile.
//!
//! Rocket runs a handler to its end even if nobody waits for the answer any more. It then drops the answer
//! unread, and that is how it is known here. What is lost further on comes back when its visibility is over.

use std::io::{self, Cursor, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder, Response};
use rocket::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use rocket::tokio::runtime::Handle;
use serde::Serialize;

use super::model::{QueueName, Receipt, Received};
use super::store;
use super::waiters::Waiters;
use crate::broker::Broker;

#[derive(Serialize)]
struct ReceivedBody<'a> {
    status: &'static str,
    messages: &'a [Received],
}

/// Messages on their way to a receiver.
pub(super) struct Delivery {
    pub(super) broker: Broker,
    pub(super) waiters: Arc<Waiters>,
    pub(super) queue: QueueName,
    pub(super) messages: Vec<Received>,
}

impl<'r> Responder<'r, 'static> for Delivery {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = ReceivedBody {
            status: "ok",
            messages: &self.messages,
        };
        let text = serde_json::to_vec(&body).map_err(|_| Status::InternalServerError)?;
        let mut response = Response::build();
        response.header(ContentType::JSON);
        response.sized_body(
            text.len(),
            Body {
                text: Cursor::new(text),
                unread: Some(self),
            },
        );
        response.ok()
    }
}

struct Body {
    text: Cursor<Vec<u8>>,
    /// Until the end has been read.
    unread: Option<Delivery>,
}

impl AsyncRead for Body {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.text).poll_read(context, buffer);
        if read.is_ready() && buffer.filled().len() == before {
            self.unread = None;
        }
        read
    }
}

impl AsyncSeek for Body {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.text).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.text).poll_complete(context)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let (Some(delivery), Ok(runtime)) = (self.unread.take(), Handle::try_current()) else {
            return;
        };
        runtime.spawn(delivery.give_back());
    }
}

impl Delivery {
    async fn give_back(self) {
        let receipts = self.messages.iter().map(|message| &message.receipt);
        let receipts: Vec<Receipt> = receipts.filter_map(|receipt| Receipt::parse(receipt)).collect();
        let Some(Receipt { nonce, .. }) = receipts.first().cloned() else {
            return;
        };
        let ids: Vec<String> = receipts.into_iter().map(|receipt| receipt.message).collect();
        if let Err(error) = store::undo(&self.broker, &self.queue, &nonce, &ids).await {
            tracing::warn!(%error, "messages that nobody took come back when their time is over");
        }
        self.waiters.wake(&self.queue);
    }
}
