//! The body of an answer that knows whether it was sent.
//!
//! Rocket runs a handler to its end even if the client has disconnected. It then drops the answer unread, which is
//! detected here. A loss further on is not detected.

use std::io::{self, Cursor, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};

use rocket::http::ContentType;
use rocket::response::{self, Response};
use rocket::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

/// Messages taken for a client; dropping them without this call means that the client did not get them.
pub trait Delivered: Send + Unpin + 'static {
    /// The whole answer was read for the client.
    fn delivered(&mut self);
}

/// A `200` with this JSON; `taken` is notified when all of it has been read.
pub fn respond<T: Delivered>(text: Vec<u8>, taken: T) -> response::Result<'static> {
    let mut response = Response::build();
    response.header(ContentType::JSON);
    response.sized_body(
        text.len(),
        Unsent {
            text: Cursor::new(text),
            unread: Some(taken),
        },
    );
    response.ok()
}

struct Unsent<T> {
    text: Cursor<Vec<u8>>,
    /// Until the end has been read.
    unread: Option<T>,
}

impl<T: Delivered> AsyncRead for Unsent<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.text).poll_read(context, buffer);
        if read.is_ready()
            && buffer.filled().len() == before
            && let Some(mut taken) = self.unread.take()
        {
            taken.delivered();
        }
        read
    }
}

impl<T: Delivered> AsyncSeek for Unsent<T> {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.text).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.text).poll_complete(context)
    }
}
