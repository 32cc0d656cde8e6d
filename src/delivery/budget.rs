//! Limits the bytes of messages in transit from Redis to clients, for the whole process.

use std::sync::Arc;

use rocket::tokio::sync::{OwnedSemaphorePermit, Semaphore};
use rocket::tokio::time::{Instant, timeout_at};

use crate::failure::{Failure, Overload};

/// The maximum of bytes that have been received and not sent yet.
const BYTES: usize = 16 * 1024 * 1024;
/// The maximum of bytes per command.
const COMMAND: usize = 4 * 1024 * 1024;
/// The minimum of bytes for a command to be sent: the largest message.
const LEAST: usize = 1024 * 1024;

/// The free bytes, for messages that are still in Redis.
#[derive(Clone)]
pub struct Budget(Arc<Semaphore>);

/// A share of the budget, released when it is dropped.
pub struct Share(Option<OwnedSemaphorePermit>);

impl Budget {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(BYTES)))
    }

    /// The free bytes, up to the maximum of one command. Waits until there is room for the largest message.
    ///
    /// # Errors
    /// There was no room in time.
    pub async fn take(&self, begin_by: Instant) -> Result<Share, Failure> {
        let least = Arc::clone(&self.0).acquire_many_owned(permits(LEAST));
        let Ok(Ok(mut share)) = timeout_at(begin_by, least).await else {
            return Err(Failure::Overloaded(Overload::Late));
        };
        let more = self.0.available_permits().min(COMMAND - LEAST);
        if let Ok(more) = Arc::clone(&self.0).try_acquire_many_owned(permits(more)) {
            share.merge(more);
        }
        Ok(Share(Some(share)))
    }
}

impl Share {
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// The share of a message; all of it for a larger one.
    pub fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes());
        Self(self.0.as_mut().and_then(|share| share.split(bytes)))
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BYTES, Budget, COMMAND, Instant, LEAST};

    #[rocket::async_test]
    async fn a_command_gets_what_is_free_and_none_is_sent_without_room_for_one_message() {
        let budget = Budget::new();
        let soon = || Instant::now() + Duration::from_millis(20);
        let mut shares = Vec::new();
        while let Ok(share) = budget.take(soon()).await {
            assert!((LEAST..=COMMAND).contains(&share.bytes()));
            shares.push(share);
        }
        assert!(shares.iter().map(super::Share::bytes).sum::<usize>() > BYTES - LEAST);
        let mut share = shares.pop().unwrap();
        let (small, larger_than_all) = (share.split(10), share.split(BYTES));
        assert_eq!((small.bytes(), share.bytes()), (10, 0));
        drop((small, larger_than_all));
        assert!(budget.take(soon()).await.is_ok());
    }
}
