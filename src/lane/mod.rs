//! Natural batching: requests that wait for the same statement share one.
//!
//! A lane is a bounded channel and a task. The task takes all waiting items, passes them on as a batch, answers each
//! item, and repeats. An idle lane sends an item at once, without delay; under load, batches grow on their own. A
//! full channel refuses: backpressure instead of a backlog.
//!
//! A lane guarantees:
//! - An item is in at most one batch, which begins after the item was sent; it is skipped if its caller has gone.
//! - Every caller gets an answer: that of its batch, or the reason why there is none. A batch that panics affects only
//!   its own items.
//! - Items begin in the order of their arrival, items of equal keys together, after the running batch of their key.
//! - The items that wait or run are bounded in number and in bytes, and so is each batch.
//! - An answer waits only for its own batch, not for concurrent ones.
//! - Every caller holds the lane, so at shutdown the lane ends once all are answered.

mod driver;
pub(crate) mod metrics;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::metrics::LaneMetrics;
use crate::failure::{Failure, Overload};

/// The maximum of items per batch.
const BATCH_MAX: usize = 256;
/// A batch is full at this many bytes; its first item may be of any size.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// The maximum of waiting items.
const WAITING_MAX: usize = 1024;
/// The maximum of bytes of items that wait or run.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The time that an item of most lanes may wait until its statement is sent.
pub const PATIENCE: Duration = Duration::from_millis(800);

/// The parameters of a lane.
pub struct Rules<I, K> {
    /// The label in metrics.
    pub name: &'static str,
    /// Items with equal keys share a batch.
    pub key: fn(&I) -> K,
    /// Bytes that an item holds in addition to its fixed size; 0 if its size is fixed.
    pub bytes: fn(&I) -> usize,
    /// The maximum of concurrent batches, 1 or more; two of the same key never run concurrently, since their items
    /// would share less.
    pub side_by_side: usize,
    /// The time that an item may wait until its statement is sent.
    pub patience: Duration,
    /// The failure of a batch that ended without an answer; the string is the reason for the log.
    pub no_answer: fn(String) -> Failure,
}

impl<I> Rules<I, ()> {
    /// One batch at a time, of all waiting items; items have a fixed size.
    pub fn new(name: &'static str, no_answer: fn(String) -> Failure) -> Self {
        Self {
            name,
            key: |_| (),
            bytes: |_| 0,
            side_by_side: 1,
            patience: PATIENCE,
            no_answer,
        }
    }
}

/// The entrance of a lane.
pub struct Lane<I, T> {
    waiting: mpsc::Sender<Waiting<I, T>>,
    bytes: fn(&I) -> usize,
    held: Arc<AtomicUsize>,
    no_answer: fn(String) -> Failure,
    metrics: LaneMetrics,
}

struct Waiting<I, T> {
    item: I,
    bytes: Option<Bytes>,
    since: Instant,
    reply: oneshot::Sender<Result<T, Failure>>,
}

/// Bytes of an item, counted until this is dropped.
struct Bytes {
    number: usize,
    held: Arc<AtomicUsize>,
}

impl Bytes {
    /// None if there is no room for them.
    fn hold(number: usize, held: &Arc<AtomicUsize>) -> Option<Self> {
        let room = |held: usize| held.checked_add(number).filter(|sum| *sum <= BYTES_MAX);
        held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .ok()?;
        let held = Arc::clone(held);
        Some(Self { number, held })
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.held.fetch_sub(self.number, Ordering::Relaxed);
    }
}

/// The items of one statement.
pub struct Batch<I> {
    /// The items, 1 or more.
    pub items: Vec<I>,
    /// The deadline for sending the statement, after which the first item has waited too long.
    pub begin_by: Instant,
}

impl<I, T> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    /// Starts a lane. `run` answers the items of a batch in their order.
    pub fn new<K, F, R>(rules: Rules<I, K>, run: R) -> Self
    where
        K: Copy + Eq + Send + 'static,
        F: Future<Output = Vec<Result<T, Failure>>> + Send + 'static,
        R: Fn(Batch<I>) -> F + Send + Sync + 'static,
    {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let metrics = LaneMetrics::of(rules.name);
        let (bytes, no_answer) = (rules.bytes, rules.no_answer);
        tokio::spawn(driver::drive(waiting, rules, run, metrics.clone()));
        Self {
            waiting: sender,
            bytes,
            held: Arc::default(),
            no_answer,
            metrics,
        }
    }

    /// Waits for the item's batch, and returns its answer.
    ///
    /// # Errors
    /// The lane is full, the item waited too long, or its batch failed.
    pub async fn ask(&self, item: I) -> Result<T, Failure> {
        self.ask_since(item, Instant::now()).await
    }

    /// As [`Lane::ask`], for an item that has waited since `since`.
    ///
    /// # Errors
    /// As [`Lane::ask`].
    pub async fn ask_since(&self, item: I, since: Instant) -> Result<T, Failure> {
        let bytes = match (self.bytes)(&item) {
            0 => None,
            number => Some(Bytes::hold(number, &self.held).ok_or_else(|| self.full())?),
        };
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            item,
            bytes,
            since,
            reply,
        };
        match self.waiting.try_send(waiting) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(self.full()),
            Err(TrySendError::Closed(_)) => return Err((self.no_answer)("the lane has ended".to_owned())),
        }
        let answer = answer.await;
        answer.unwrap_or_else(|_| Err((self.no_answer)("the batch ended without an answer".to_owned())))
    }

    /// Refuses if an item would be refused now; to be called before work that would then be in vain.
    ///
    /// # Errors
    /// The maximum of items is waiting.
    pub fn has_room(&self) -> Result<(), Failure> {
        if self.waiting.capacity() == 0 {
            return Err(self.full());
        }
        Ok(())
    }

    fn full(&self) -> Failure {
        self.metrics.full.inc();
        Failure::Overloaded(Overload::Full)
    }
}
