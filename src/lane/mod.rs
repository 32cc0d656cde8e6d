//! Natural batching: requests that wait for the same statement are served by one.
//!
//! A lane is a bounded channel and a task. The task takes all that waits, hands it on as a batch, answers each
//! item, and looks again. Idle, an item is sent on at once and nothing is delayed; busy, the batch grows by
//! itself. A full channel refuses, so overload is refused and not piled up.
//!
//! What a lane promises:
//! - An item is in one batch at most, and is never worked for before it was there nor after its client has gone.
//! - Whoever asks gets an answer: that of the batch, or why there was none. A batch that panics costs its own
//!   items their answers, and nobody else.
//! - Items begin in the order in which they came, equals together, once those of their kind that run have ended.
//! - What waits or is worked for is bounded in items and in bytes, and so is what one batch carries.
//! - An answer waits for its own batch alone, not for those that run beside it.
//! - Whoever asks holds the lane, so at shutdown it ends once everyone is answered.

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

/// The most items of a batch.
const BATCH_MAX: usize = 256;
/// Bytes of items after which a batch is full; its first item is in it however large it is.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// The most items that wait.
const WAITING_MAX: usize = 1024;
/// The most bytes of items that wait or are worked for.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The longest that an item of most lanes waits for its statement to be sent.
pub const PATIENCE: Duration = Duration::from_millis(800);

/// What a lane is like.
pub struct Rules<I, K> {
    /// For metrics.
    pub name: &'static str,
    /// What tells batches apart: items of equal keys share one.
    pub key: fn(&I) -> K,
    /// Bytes that an item holds beside its fixed size; 0 where its size is fixed.
    pub bytes: fn(&I) -> usize,
    /// How many batches run at the same time at most, 1 or more; never two of the same key, whose items would share
    /// less.
    pub side_by_side: usize,
    /// The longest that an item waits for its statement to be sent.
    pub patience: Duration,
    /// The answer where a batch ended without one; the string is the reason for the log.
    pub no_answer: fn(String) -> Failure,
}

impl<I> Rules<I, ()> {
    /// One batch after the other, each of whatever waits; items have a fixed size.
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

/// Where items wait for a batch.
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
    /// Nothing, if there is no room for them.
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

/// What one statement is sent for.
pub struct Batch<I> {
    /// The items, 1 or more.
    pub items: Vec<I>,
    /// By when the statement has to be sent for the first of them not to have waited too long.
    pub begin_by: Instant,
}

impl<I, T> Lane<I, T>
where
    I: Send + 'static,
    T: Send + 'static,
{
    /// Begins a lane whose batches `run` answers, item by item and in their order.
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

    /// Waits for the batch that the item will be in, and for its answer.
    ///
    /// # Errors
    /// The lane is full, the item waited too long, or its batch brought an error or nothing.
    pub async fn ask(&self, item: I) -> Result<T, Failure> {
        self.ask_since(item, Instant::now()).await
    }

    /// As [`Lane::ask`], for an item that has waited since then already.
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

    /// Refuses where an item would be refused now: to be asked before work that is in vain then.
    ///
    /// # Errors
    /// As many items as may wait do so already.
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
