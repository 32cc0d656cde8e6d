//! Receivers that wait for a message. Those of one queue stand in line: the first polls regularly, and at once
//! after a push by this process. The others sleep until it has left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio;
use rocket::tokio::sync::Notify;
use rocket::tokio::time::sleep;

use super::model::{QueueName, Terms};
use super::store::{Handed, Queues};
use crate::failure::Failure;

/// The interval of polls, for pushes of other processes, delays and visibility timeouts.
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// The lines with waiting receivers.
#[derive(Default)]
pub(super) struct Waiters(Mutex<HashMap<QueueName, Line>>);

#[derive(Default, Clone)]
struct Line {
    /// The length of the line; the last receiver removes it.
    length: usize,
    signals: Arc<Signals>,
}

#[derive(Default)]
struct Signals {
    /// Held by the first in line.
    turn: tokio::sync::Mutex<()>,
    /// For the first: there is something new.
    pushed: Notify,
    /// For all others: Redis is down, do not wait in line to find out.
    failed: Notify,
}

impl Waiters {
    /// Wakes the first receiver that waits for messages of this queue.
    pub(super) fn wake(&self, queue: &QueueName) {
        if let Some(line) = self.lines().get(queue) {
            line.signals.pushed.notify_one();
        }
    }

    /// Receives ready messages, or the first that come before `ended`; then none.
    pub(super) async fn receive(
        &self,
        queues: &Queues,
        queue: &QueueName,
        terms: &Terms,
        ended: impl Future<Output = ()>,
    ) -> Result<Option<Handed>, Failure> {
        let position = Position::take(self, queue);
        let signals = &position.signals;
        tokio::pin!(ended);
        // A poll is never canceled: messages that Redis has returned must reach the client.
        let look = || queues.receive(queue, terms);
        let _turn = tokio::select! {
            biased;
            () = &mut ended => return Ok(None),
            () = signals.failed.notified() => return look().await,
            turn = signals.turn.lock() => turn,
        };
        loop {
            let received = look().await.inspect_err(|_| signals.failed.notify_waiters())?;
            if received.is_some() {
                return Ok(received);
            }
            tokio::select! {
                biased;
                () = &mut ended => return Ok(None),
                () = signals.pushed.notified() => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<QueueName, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A position in the line of a queue.
struct Position<'a> {
    waiters: &'a Waiters,
    queue: &'a QueueName,
    signals: Arc<Signals>,
}

impl<'a> Position<'a> {
    fn take(waiters: &'a Waiters, queue: &'a QueueName) -> Self {
        let mut lines = waiters.lines();
        let line = lines.entry(queue.clone()).or_default();
        line.length += 1;
        Self {
            waiters,
            queue,
            signals: Arc::clone(&line.signals),
        }
    }
}

impl Drop for Position<'_> {
    fn drop(&mut self) {
        let mut lines = self.waiters.lines();
        if let Some(line) = lines.get_mut(self.queue) {
            line.length -= 1;
            if line.length == 0 {
                lines.remove(self.queue);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, QueueName, Waiters};

    #[test]
    fn a_line_is_removed_with_its_last_receiver() {
        let (waiters, queue) = (Waiters::default(), QueueName::parse("mails").unwrap());
        waiters.wake(&queue);
        let first = Position::take(&waiters, &queue);
        let second = Position::take(&waiters, &queue);
        drop(first);
        waiters.wake(&queue);
        assert_eq!(waiters.lines().len(), 1);
        drop(second);
        assert!(waiters.lines().is_empty());
    }
}
