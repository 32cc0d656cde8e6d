//! The guard of routes that read a body: it has arrived completely before they begin.

use std::time::Duration;

use rocket::data::{self, Data, DataStream, FromData, ToByteUnit};
use rocket::http::Status;
use rocket::tokio::io::AsyncReadExt;
use rocket::tokio::time::{Instant, timeout_at};
use rocket::{Request, outcome::Outcome};

use super::budget::{FREE, Held};
use super::{declared, drain, is_cut_off};
use crate::error::ApiError;
use crate::http::refusal;
use crate::http::request_id::Arrival;

/// The time limits of a body: for all of it, and for each part.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);
const NEXT_WITHIN: Duration = Duration::from_secs(10);

/// The initial buffer: enough for an order or a short message.
const USUAL: usize = 256;

/// A body of at most `LIMIT` bytes, and its share of the memory budget.
pub struct Received<const LIMIT: usize> {
    bytes: Vec<u8>,
    _held: Held,
}

/// A JSON body of usual size.
pub type JsonBody = Received<{ 16 * 1024 }>;

/// A message of up to 1 MiB, verbatim.
pub type Message = Received<{ 1024 * 1024 }>;

/// Up to 1 MiB of message or value in JSON, which may write one byte of it as six: `\u0001`.
pub type LargeBody = Received<{ 7 * 1024 * 1024 }>;

impl<const LIMIT: usize> Received<LIMIT> {
    /// The body, verbatim.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body as text, whatever its type. It counts against the memory budget as long as this lives.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn take_text(&mut self) -> Result<String, ApiError> {
        String::from_utf8(std::mem::take(&mut self.bytes)).map_err(|error| {
            let position = error.utf8_error().valid_up_to();
            ApiError::InvalidBody(format!("The body is not UTF-8: the byte at {position} is wrong."))
        })
    }
}

#[rocket::async_trait]
impl<'r, const LIMIT: usize> FromData<'r> for Received<LIMIT> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        if let Some(status) = refusal::status(Arrival::of(request)) {
            return Outcome::Forward((data, status));
        }
        let read = read(request, data, LIMIT).await;
        read.map(|(bytes, held)| Self { bytes, _held: held })
    }
}

/// A body and its share of the budget; or the status of a refusal, with the body if it was not opened, so that the
/// rest of it is drained after the answer.
pub(super) type Read<'r> = Outcome<(Vec<u8>, Held), (Status, ()), (Data<'r>, Status)>;

/// Reads a complete body.
pub(super) async fn read<'r>(request: &Request<'_>, data: Data<'r>, limit: usize) -> Read<'r> {
    let (expected, mut held) = match begin(request, limit).await {
        Ok(begun) => begun,
        Err(error) => return Outcome::Forward((data, refusal::refuse(request, error))),
    };
    // Without Rocket's limit: the rest is drained from the same stream.
    let mut stream = data.open(u64::MAX.bytes());
    let mut bytes = Vec::with_capacity(expected.unwrap_or(0).clamp(USUAL, limit));
    let error = match fill(&mut stream, &mut bytes, expected, &mut held, limit).await {
        Ok(()) if expected.is_none_or(|expected| expected == bytes.len()) => {
            return Outcome::Success((bytes, held));
        }
        Ok(()) => ApiError::BadRequest,
        Err(error) => error,
    };
    drop((bytes, held));
    if !matches!(error, ApiError::BadRequest | ApiError::RequestTimeout) {
        drain::before_the_answer(&mut stream).await;
    }
    Outcome::Error((refusal::refuse(request, error), ()))
}

/// The declared length of a body, and room for it.
async fn begin(request: &Request<'_>, limit: usize) -> Result<(Option<usize>, Held), ApiError> {
    let declared = declared(request).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if declared.is_some_and(|bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    if is_cut_off(request) {
        return Err(ApiError::BadRequest);
    }
    let mut held = Held::default();
    if let Some(bytes) = declared.filter(|bytes| *bytes > FREE) {
        held.grow(bytes).await?;
    }
    Ok((declared, held))
}

fn too_large(limit: usize) -> ApiError {
    ApiError::PayloadTooLarge {
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
    }
}

/// Reads to the end, and grows its share with the body.
async fn fill(
    stream: &mut DataStream<'_>,
    bytes: &mut Vec<u8>,
    expected: Option<usize>,
    held: &mut Held,
    limit: usize,
) -> Result<(), ApiError> {
    let end = Instant::now() + WHOLE_WITHIN;
    loop {
        if bytes.len() == bytes.capacity() {
            let wanted = (bytes.capacity() * 2).min(limit + 1);
            if wanted > held.bytes() {
                held.grow(wanted).await?;
            }
            bytes.reserve_exact(wanted.saturating_sub(bytes.len()).max(1));
        }
        let next = end.min(Instant::now() + NEXT_WITHIN);
        match timeout_at(next, stream.read_buf(bytes)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(_)) if bytes.len() > limit => return Err(too_large(limit)),
            Ok(Ok(_)) if expected == Some(bytes.len()) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(ApiError::BadRequest),
            Err(_) => return Err(ApiError::RequestTimeout),
        }
    }
}
