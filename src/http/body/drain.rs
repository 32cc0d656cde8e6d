//! What becomes of a body that is not wanted: its bytes are read and dropped, so that the client sees the answer.
//!
//! A connection that is closed while there is something unread on it is reset, and the answer may be lost with it.

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

/// The most that is dropped of one body: more than any route reads.
const BYTES: u64 = 8 * 1024 * 1024;

/// How long a client is listened to that has its answer, and one that has none yet.
const BEHIND_THE_ANSWER: Duration = Duration::from_secs(5);
const BEFORE_THE_ANSWER: Duration = Duration::from_secs(1);

/// How many at once: the connection of each may have a buffer of 400 KiB.
static DRAINS: Semaphore = Semaphore::const_new(64);

/// Drops what is left of a body that was opened.
pub(super) async fn before_the_answer(stream: &mut DataStream<'_>) {
    let Ok(_one_of_them) = DRAINS.try_acquire() else {
        return;
    };
    let mut rest = stream.take(BYTES);
    let mut nowhere = sink();
    // Either way the answer is next.
    let _ = timeout(BEFORE_THE_ANSWER, copy(&mut rest, &mut nowhere)).await;
}

/// Answers at once, and drops the body behind the answer.
///
/// # Errors
/// The answer cannot be made.
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

/// The answer, and the end of it once the body is drained.
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
