//! What all bodies that are being read may take of the memory together.

use std::time::Duration;

use rocket::tokio::sync::{Semaphore, SemaphorePermit};
use rocket::tokio::time::timeout;

use crate::error::ApiError;

/// Bodies up to here are not counted: a connection costs as much.
pub(super) const FREE: usize = 16 * 1024;

/// KiB of all larger bodies, from when they are read until their request is answered.
const KIBIBYTES: usize = 32 * 1024;

/// How long a body waits for others to make room.
const PATIENCE: Duration = Duration::from_secs(1);

static ROOM: Semaphore = Semaphore::const_new(KIBIBYTES);

/// The room that one body holds.
#[derive(Default)]
pub(super) struct Held {
    bytes: usize,
    permits: Option<SemaphorePermit<'static>>,
}

impl Held {
    /// Bytes that there is room for.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.max(FREE)
    }

    /// Makes room for so many bytes in all.
    ///
    /// # Errors
    /// Other bodies take it, and did not leave soon enough.
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
