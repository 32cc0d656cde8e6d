//! The memory that all bodies share while they are read.

use std::time::Duration;

use rocket::tokio::sync::{Semaphore, SemaphorePermit};
use rocket::tokio::time::timeout;

use crate::error::ApiError;

/// Bodies up to this size are not counted: a connection costs as much.
pub(super) const FREE: usize = 16 * 1024;

/// The budget of all larger bodies, in KiB, from when they are read until their request is answered.
const KIBIBYTES: usize = 32 * 1024;

/// How long a body waits for room.
const PATIENCE: Duration = Duration::from_secs(1);

static ROOM: Semaphore = Semaphore::const_new(KIBIBYTES);

/// The share of one body.
#[derive(Default)]
pub(super) struct Held {
    bytes: usize,
    permits: Option<SemaphorePermit<'static>>,
}

impl Held {
    /// The bytes of this share.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.max(FREE)
    }

    /// Grows to this many bytes in total.
    ///
    /// # Errors
    /// Other bodies hold the room, and did not release it in time.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let more = bytes.saturating_sub(self.bytes).div_ceil(1024);
        let more = u32::try_from(more).map_err(|_| ApiError::Overloaded)?;
        let permits = timeout(PATIENCE, ROOM.acquire_many(more)).await;
        let permits = permits
            .map_err(|_| ApiError::Overloaded)?
            .map_err(|_| ApiError::Overloaded)?;
        match &mut self.permits {
            Some(held) => held.merge(permits),
            none => *none = Some(permits),
        }
        self.bytes = bytes;
        Ok(())
    }
}
