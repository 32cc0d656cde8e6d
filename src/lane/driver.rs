//! The task behind a lane: forms batches of what waits, runs them, and hands out their answers.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use rocket::futures::FutureExt;
use rocket::futures::stream::{FuturesUnordered, StreamExt};
use rocket::tokio;
use rocket::tokio::sync::{mpsc, oneshot};
use rocket::tokio::task::yield_now;
use rocket::tokio::time::Instant;

use super::{BATCH_BYTES_MAX, BATCH_MAX, Batch, PATIENCE, Refusal, Rules, Waiting};
use crate::telemetry::metrics::LaneMetrics;

/// The most answers of a batch that are sent before others have their turn.
const ANSWERS_AT_ONCE: usize = 16;

/// Answers that are ready, each with the one who waits for it.
type Answers<T, E> = VecDeque<(oneshot::Sender<Result<T, E>>, Result<T, E>)>;

/// Until the lane is dropped. Batches are not tasks of their own: idle, that would cost a hop between threads.
pub(super) async fn drive<I, T, E, F, R>(
    channel: mpsc::Receiver<Waiting<I, T, E>>,
    rules: Rules<I, E>,
    run: R,
    metrics: LaneMetrics,
) where
    E: From<Refusal>,
    F: Future<Output = Vec<Result<T, E>>>,
    R: Fn(Batch<I>) -> F,
{
    let mut source = Source::new(channel, rules.together, rules.bytes);
    let mut running = FuturesUnordered::new();
    let mut answers = Answers::new();
    // Whether all that wait to be sent are of the last batch. The next one begins before those go out, but not before
    // older ones have: their clients are about to ask again, and a batch without them would be small.
    let mut of_the_last = true;
    loop {
        while (of_the_last || answers.is_empty())
            && running.len() < rules.side_by_side
            && let Some(batch) = source.next_batch()
        {
            running.push(AssertUnwindSafe(serve(batch, &run, &metrics)).catch_unwind());
        }
        let free = running.len() < rules.side_by_side;
        // In this order: the next batch is on its way before the answers to the last one go out. Who waits for
        // the answer of a batch that panicked is told so by the end of its channel.
        tokio::select! {
            biased;
            Some(served) = running.next() => {
                of_the_last = answers.is_empty();
                answers.extend(served.unwrap_or_default());
            }
            () = send(&mut answers), if !answers.is_empty() => {}
            () = source.wait(), if free && answers.is_empty() && source.open => {}
            else => return,
        }
    }
}

/// Where batches come from.
struct Source<I, T, E> {
    channel: mpsc::Receiver<Waiting<I, T, E>>,
    /// Whether more can come.
    open: bool,
    /// What was taken from the channel and is in no batch yet.
    waiting: VecDeque<Waiting<I, T, E>>,
    together: fn(&I, &I) -> bool,
    bytes: fn(&I) -> usize,
}

impl<I, T, E> Source<I, T, E> {
    fn new(
        channel: mpsc::Receiver<Waiting<I, T, E>>,
        together: fn(&I, &I) -> bool,
        bytes: fn(&I) -> usize,
    ) -> Self {
        Self {
            channel,
            open: true,
            waiting: VecDeque::with_capacity(BATCH_MAX),
            together,
            bytes,
        }
    }

    /// Until something waits, or nothing ever will.
    async fn wait(&mut self) {
        match self.channel.recv().await {
            Some(first) => self.waiting.push_back(first),
            None => self.open = false,
        }
        // Whoever is about to ask does so first. Where nobody is, this costs no time.
        yield_now().await;
    }

    /// The item that has waited longest, with all that go with it and have room beside it, in their order.
    fn next_batch(&mut self) -> Option<Vec<Waiting<I, T, E>>> {
        while self.waiting.len() < BATCH_MAX
            && let Ok(next) = self.channel.try_recv()
        {
            self.waiting.push_back(next);
        }
        let first = self.waiting.pop_front()?;
        let mut bytes = (self.bytes)(&first.item);
        let mut batch = Vec::with_capacity(self.waiting.len() + 1);
        batch.push(first);
        for _ in 0..self.waiting.len() {
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            let goes_with = batch
                .first()
                .is_some_and(|first| (self.together)(&first.item, &next.item));
            bytes += if goes_with { (self.bytes)(&next.item) } else { 0 };
            // Once it is full it stays so, even for a smaller one: that would overtake.
            if goes_with && bytes <= BATCH_BYTES_MAX {
                batch.push(next);
            } else {
                self.waiting.push_back(next);
            }
        }
        Some(batch)
    }
}

/// Sends answers, some at a time, so that they are on their way, and their clients at work, before the next are
/// woken. Can be dropped at any await: what was not sent is still there.
async fn send<T, E>(answers: &mut Answers<T, E>) {
    loop {
        for (reply, answer) in answers.drain(..ANSWERS_AT_ONCE.min(answers.len())) {
            let _ = reply.send(answer); // whoever asked may have gone
        }
        if answers.is_empty() {
            return;
        }
        yield_now().await;
    }
}

/// Runs one batch.
async fn serve<I, T, E, F, R>(batch: Vec<Waiting<I, T, E>>, run: &R, metrics: &LaneMetrics) -> Answers<T, E>
where
    E: From<Refusal>,
    F: Future<Output = Vec<Result<T, E>>>,
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
            continue; // whoever asked has gone
        }
        if began.duration_since(since) > PATIENCE {
            metrics.late.inc();
            let _ = reply.send(Err(Refusal::Late.into()));
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
    let begin_by = first + PATIENCE;
    let answers = run(Batch { items, begin_by }).await;
    metrics.run.observe(began.elapsed().as_secs_f64());
    let replies = asked.into_iter().map(|(reply, _bytes)| reply);
    replies.zip(answers).collect()
}
