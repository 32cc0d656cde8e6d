//! Drains an unwanted body: reads and discards its bytes, so that the client sees the answer.
//!
//! Closing a connection with unread data resets it, and the answer may be lost.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocket::Request;
use rocket::data::{Data, DataStream, ToByteUnit};
use rocket::http::{Header, Status};
use rocket::response::{Body, Responder, Response};
use rocket::tokio::io::{AsyncRead, AsyncReadExt, ReadBuf, copy, sink};
use rocket::tokio::sync::{Semaphore, SemaphorePermit};
use rocket::tokio::time::{Sleep, sleep, timeout};

use super::is_cut_off;
use crate::error::ApiError;

/// The most that is discarded of one body: more than any route reads.
const BYTES: u64 = 8 * 1024 * 1024;

/// How long a client's body is drained after its answer, and before it.
const BEHIND_THE_ANSWER: Duration = Duration::from_secs(5);
const BEFORE_THE_ANSWER: Duration = Duration::from_secs(1);

/// The maximum of clients: the connection of each may have a buffer of 400 KiB.
static DRAINS: Semaphore = Semaphore::const_new(64);

/// Discards the rest of an opened body.
pub(super) async fn before_the_answer(stream: &mut DataStream<'_>) {
    let Ok(_one_of_them) = DRAINS.try_acquire() else {
        return;
    };
    let mut rest = stream.take(BYTES);
    let mut nowhere = sink();
    // Either way the answer is next.
    let _ = timeout(BEFORE_THE_ANSWER, copy(&mut rest, &mut nowhere)).await;
}

/// Answers at once, and drains the body after the answer.
///
/// # Errors
/// The answer cannot be created.
pub(in crate::http) fn answer<'r>(
    error: ApiError,
    request: &'r Request<'_>,
    data: Data<'r>,
) -> Result<Response<'r>, Status> {
    let mut response = error.respond_to(request)?;
    if data.peek_complete() || is_cut_off(request) {
        return Ok(response);
    }
    let (Ok(permit), Some(size)) = (DRAINS.try_acquire(), response.body().preset_size()) else {
        return Ok(response);
    };
    let answer = response.body_mut().take();
    response.set_header(Header::new("Content-Length", size.to_string()));
    response.set_streamed_body(Draining {
        answer: Some(answer),
        rest: Box::pin(data.open(BYTES.bytes())),
        until: Box::pin(sleep(BEHIND_THE_ANSWER)),
        _permit: permit,
    });
    Ok(response)
}

/// The answer, which ends once the body is drained.
struct Draining<'r> {
    answer: Option<Body<'r>>,
    rest: Pin<Box<DataStream<'r>>>,
    until: Pin<Box<Sleep>>,
    _permit: SemaphorePermit<'static>,
}

impl AsyncRead for Draining<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(answer) = &mut self.answer {
            let before = out.filled().len();
            ready!(Pin::new(answer).poll_read(cx, out))?;
            if out.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            self.answer = None;
        }
        self.poll_drained(cx).map(Ok)
    }
}

impl Draining<'_> {
    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut dropped = [0; 8192];
        loop {
            if self.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut dropped);
            match ready!(self.rest.as_mut().poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => return Poll::Ready(()),
                Ok(()) => {}
                Err(_) => return Poll::Ready(()),
            }
        }
    }
}
