//! The task of a lane: forms batches of the waiting items, runs them, and sends their answers.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::metrics::LaneMetrics;
use super::{BATCH_BYTES_MAX, BATCH_MAX, Batch, Rules, WAITING_MAX, Waiting};
use crate::failure::{Failure, Overload};

/// The number of parts in which a batch's answers are sent; other tasks run between two parts.
const PARTS: usize = 4;
/// The minimum of answers per part.
const PART_MIN: usize = 16;

/// Answers that are ready, each with its channel.
type Answers<T> = VecDeque<(oneshot::Sender<Result<T, Failure>>, Result<T, Failure>)>;

/// The items of a batch, and their key.
type Keyed<I, T, K> = (K, Vec<Waiting<I, T>>);

/// Runs until the lane is dropped. Batches are not separate tasks: when idle, that would cost a hop between threads.
pub(super) async fn drive<I, T, K, F, R>(
    channel: mpsc::Receiver<Waiting<I, T>>,
    rules: Rules<I, K>,
    run: R,
    metrics: LaneMetrics,
) where
    K: Copy + Eq,
    F: Future<Output = Vec<Result<T, Failure>>>,
    R: Fn(Batch<I>) -> F,
{
    let mut source = Source::new(channel, &rules);
    let mut running = FuturesUnordered::new();
    let mut keys = Vec::with_capacity(rules.side_by_side); // of the running ones
    let mut answers = Answers::new();
    // Whether all unsent answers are of the last batch. The next batch begins before those are sent, but not before
    // older ones are: their clients are about to send again, and a batch without them would be small.
    let mut of_the_last = true;
    loop {
        while (of_the_last || answers.is_empty())
            && running.len() < rules.side_by_side
            && let Some((key, batch)) = source.next_batch(&keys)
        {
            let served = AssertUnwindSafe(serve(batch, rules.patience, &run, &metrics)).catch_unwind();
            running.push(served.map(move |served| (key, served)));
            keys.push(key);
        }
        let free = running.len() < rules.side_by_side;
        // In this order: the next batch is sent before the answers to the last one. The caller of a batch that panicked
        // notices that its channel is closed.
        tokio::select! {
            biased;
            Some((key, served)) = running.next() => {
                keys.retain(|other| *other != key);
                of_the_last = answers.is_empty();
                answers.extend(served.unwrap_or_default());
            }
            () = send(&mut answers), if !answers.is_empty() => {}
            () = source.wait(), if free && answers.is_empty() && source.may_take() => {}
            else => return,
        }
    }
}

/// The source of batches.
struct Source<I, T, K> {
    channel: mpsc::Receiver<Waiting<I, T>>,
    /// Whether more items can come.
    open: bool,
    /// Items that were taken from the channel and are not in a batch yet.
    waiting: VecDeque<Waiting<I, T>>,
    /// Their maximum. If kinds run concurrently, as many as the channel holds: many of one kind leave room for the
    /// others.
    waiting_max: usize,
    key: fn(&I) -> K,
    bytes: fn(&I) -> usize,
}

impl<I, T, K: Copy + Eq> Source<I, T, K> {
    fn new(channel: mpsc::Receiver<Waiting<I, T>>, rules: &Rules<I, K>) -> Self {
        Self {
            channel,
            open: true,
            waiting: VecDeque::with_capacity(BATCH_MAX),
            waiting_max: if rules.side_by_side > 1 {
                WAITING_MAX
            } else {
                BATCH_MAX
            },
            key: rules.key,
            bytes: rules.bytes,
        }
    }

    fn may_take(&self) -> bool {
        self.open && self.waiting.len() < self.waiting_max
    }

    /// Waits for an item, or for the end of the lane.
    async fn wait(&mut self) {
        match self.channel.recv().await {
            Some(first) => self.waiting.push_back(first),
            None => self.open = false,
        }
        // Lets tasks that are about to send go first. If there are none, this costs no time.
        yield_now().await;
    }

    /// The item that has waited longest of those whose key is not running, and all others with the same key that fit,
    /// in their order.
    fn next_batch(&mut self, under_way: &[K]) -> Option<Keyed<I, T, K>> {
        while self.waiting.len() < self.waiting_max
            && let Ok(next) = self.channel.try_recv()
        {
            self.waiting.push_back(next);
        }
        let may_begin = |waiting: &Waiting<I, T>| !under_way.contains(&(self.key)(&waiting.item));
        let first = self.waiting.remove(self.waiting.iter().position(may_begin)?)?;
        let key = (self.key)(&first.item);
        let mut bytes = (self.bytes)(&first.item);
        let mut batch = Vec::with_capacity(self.waiting.len() + 1);
        batch.push(first);
        for _ in 0..self.waiting.len() {
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            let goes_with = (self.key)(&next.item) == key;
            bytes += if goes_with { (self.bytes)(&next.item) } else { 0 };
            // Once it is full it stays so, even for a smaller item: that would overtake.
            if goes_with && bytes <= BATCH_BYTES_MAX && batch.len() < BATCH_MAX {
                batch.push(next);
            } else {
                self.waiting.push_back(next);
            }
        }
        Some((key, batch))
    }
}

/// Sends answers in parts, so that they are on their way, and their clients at work, before the next are woken.
/// Cancel safe: unsent answers are still there.
async fn send<T>(answers: &mut Answers<T>) {
    let part = PART_MIN.max(answers.len() / PARTS);
    loop {
        for (reply, answer) in answers.drain(..part.min(answers.len())) {
            let _ = reply.send(answer); // the caller may have gone
        }
        if answers.is_empty() {
            return;
        }
        yield_now().await;
    }
}

/// Runs one batch.
async fn serve<I, T, F, R>(
    batch: Vec<Waiting<I, T>>,
    patience: Duration,
    run: &R,
    metrics: &LaneMetrics,
) -> Answers<T>
where
    F: Future<Output = Vec<Result<T, Failure>>>,
    R: Fn(Batch<I>) -> F,
{
    let began = Instant::now();
    let (mut items, mut asked) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    let mut first = began;
    for Waiting {
        item,
        bytes,
        since,
        reply,
    } in batch
    {
        if reply.is_closed() {
            continue; // the caller has gone
        }
        if began.duration_since(since) > patience {
            metrics.late.inc();
            let _ = reply.send(Err(Failure::Overloaded(Overload::Late)));
            continue;
        }
        first = first.min(since);
        items.push(item);
        asked.push((reply, bytes));
    }
    if items.is_empty() {
        return Answers::new();
    }
    metrics.begun(items.len(), began.duration_since(first));
    let begin_by = first + patience;
    let answers = run(Batch { items, begin_by }).await;
    metrics.run.observe(began.elapsed().as_secs_f64());
    let replies = asked.into_iter().map(|(reply, _bytes)| reply);
    replies.zip(answers).collect()
}
