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
//! - Items begin in the order in which they came, equals side by side.
//! - Whoever asks holds the lane, so at shutdown it ends once everyone is answered.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use rocket::futures::FutureExt;
use rocket::futures::future::{join, join_all};
use rocket::tokio;
use rocket::tokio::sync::mpsc::error::TrySendError;
use rocket::tokio::sync::{mpsc, oneshot};
use rocket::tokio::task::yield_now;
use rocket::tokio::time::Instant;

use crate::telemetry::metrics::LaneMetrics;

/// The most items of a batch.
const BATCH_MAX: usize = 256;
/// The most items that wait.
const WAITING_MAX: usize = 1024;
/// The most answers of a batch that are sent before others have their turn.
const ANSWERS_AT_ONCE: usize = 16;
/// The longest that an item waits for the statement to be sent.
pub const PATIENCE: Duration = Duration::from_millis(800);

/// Why nothing was done for an item; it may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// As many as may wait do so already.
    #[error("too many requests wait already")]
    Full,
    /// What came before it took too long.
    #[error("it waited too long")]
    Late,
}

/// What a lane is like.
pub struct Rules<I, E> {
    /// For metrics.
    pub name: &'static str,
    /// Whether a batch that holds the one may hold the other; what does not go together is run side by side.
    pub together: fn(&I, &I) -> bool,
    /// The answer where a batch ended without one; the string is the reason for the log.
    pub no_answer: fn(String) -> E,
}

/// Where items wait for a batch.
pub struct Lane<I, T, E> {
    waiting: mpsc::Sender<Waiting<I, T, E>>,
    no_answer: fn(String) -> E,
    metrics: LaneMetrics,
}

struct Waiting<I, T, E> {
    item: I,
    since: Instant,
    reply: oneshot::Sender<Result<T, E>>,
}

/// What one statement is sent for.
pub struct Batch<I> {
    /// The items, 1 or more.
    pub items: Vec<I>,
    /// By when the statement has to be sent for the first of them not to have waited too long.
    pub begin_by: Instant,
}

impl<I, T, E> Lane<I, T, E>
where
    I: Send + 'static,
    T: Send + 'static,
    E: From<Refusal> + Send + 'static,
{
    /// Begins a lane whose batches `run` answers, item by item and in their order.
    pub fn new<F, R>(rules: Rules<I, E>, run: R) -> Self
    where
        F: Future<Output = Vec<Result<T, E>>> + Send + 'static,
        R: Fn(Batch<I>) -> F + Send + Sync + 'static,
    {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let metrics = LaneMetrics::of(rules.name);
        let driver = Driver {
            waiting,
            together: rules.together,
            run,
            metrics: metrics.clone(),
        };
        tokio::spawn(driver.drive());
        Self {
            waiting: sender,
            no_answer: rules.no_answer,
            metrics,
        }
    }

    /// Waits for the batch that the item will be in, and for its answer.
    ///
    /// # Errors
    /// The lane is full, the item waited too long, or its batch brought an error or nothing.
    pub async fn ask(&self, item: I) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        let since = Instant::now();
        match self.waiting.try_send(Waiting { item, since, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.metrics.full.inc();
                return Err(Refusal::Full.into());
            }
            Err(TrySendError::Closed(_)) => return Err((self.no_answer)("the lane has ended".to_owned())),
        }
        let answer = answer.await;
        answer.unwrap_or_else(|_| Err((self.no_answer)("the batch ended without an answer".to_owned())))
    }
}

/// The task behind a lane. Its batches are no tasks of their own: idle, that would cost a hop between threads.
struct Driver<I, T, E, R> {
    waiting: mpsc::Receiver<Waiting<I, T, E>>,
    together: fn(&I, &I) -> bool,
    run: R,
    metrics: LaneMetrics,
}

impl<I, T, E, F, R> Driver<I, T, E, R>
where
    E: From<Refusal>,
    F: Future<Output = Vec<Result<T, E>>>,
    R: Fn(Batch<I>) -> F,
{
    /// Until the lane is dropped.
    async fn drive(mut self) {
        let mut taken = Vec::with_capacity(BATCH_MAX);
        let mut done = Vec::new();
        loop {
            self.take_what_waits(&mut taken);
            if taken.is_empty() {
                send_all(done).await;
                if self.waiting.recv_many(&mut taken, 1).await == 0 {
                    return;
                }
                done = Vec::new();
                // Whoever is about to ask does so first. Where nobody is, this costs no time.
                yield_now().await;
                self.take_what_waits(&mut taken);
            }
            let batches = grouped(&mut taken, self.together);
            let batches = batches.into_iter().map(|batch| self.serve(batch));
            // The answers to a batch go out while the next one is under way.
            let (served, ()) = join(join_all(batches), send_all(done)).await;
            done = served.into_iter().flatten().collect();
        }
    }

    fn take_what_waits(&mut self, taken: &mut Vec<Waiting<I, T, E>>) {
        while taken.len() < BATCH_MAX
            && let Ok(next) = self.waiting.try_recv()
        {
            taken.push(next);
        }
    }

    /// Nothing, if it panicked: then those it was for are told so.
    async fn serve(&self, batch: Vec<Waiting<I, T, E>>) -> Option<Answered<T, E>> {
        let served = serve(batch, &self.run, &self.metrics);
        AssertUnwindSafe(served).catch_unwind().await.ok()
    }
}

/// What came of a batch, and who is to be told.
struct Answered<T, E> {
    replies: Vec<oneshot::Sender<Result<T, E>>>,
    answers: Vec<Result<T, E>>,
}

impl<T, E> Answered<T, E> {
    /// Some at a time, so that they are on their way, and their clients at work, before the next are woken.
    async fn send(self) {
        for (place, (reply, answer)) in (1..).zip(self.replies.into_iter().zip(self.answers)) {
            let _ = reply.send(answer); // whoever asked may have gone
            if place % ANSWERS_AT_ONCE == 0 {
                yield_now().await;
            }
        }
    }
}

async fn send_all<T, E>(done: Vec<Answered<T, E>>) {
    for answered in done {
        answered.send().await;
    }
}

/// What has been taken, equals side by side, each in its order.
fn grouped<I, T, E>(
    taken: &mut Vec<Waiting<I, T, E>>,
    together: fn(&I, &I) -> bool,
) -> Vec<Vec<Waiting<I, T, E>>> {
    let mut groups: Vec<Vec<Waiting<I, T, E>>> = Vec::new();
    for next in taken.drain(..) {
        let of = |group: &&mut Vec<Waiting<I, T, E>>| {
            group
                .first()
                .is_some_and(|first| together(&first.item, &next.item))
        };
        match groups.iter_mut().find(of) {
            Some(group) => group.push(next),
            None => groups.push(vec![next]),
        }
    }
    groups
}

/// Runs one batch.
async fn serve<I, T, E, F, R>(batch: Vec<Waiting<I, T, E>>, run: &R, metrics: &LaneMetrics) -> Answered<T, E>
where
    E: From<Refusal>,
    F: Future<Output = Vec<Result<T, E>>>,
    R: Fn(Batch<I>) -> F,
{
    let began = Instant::now();
    let (mut items, mut replies) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    let mut first = began;
    for Waiting { item, since, reply } in batch {
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
        replies.push(reply);
    }
    let mut answers = Vec::new();
    if !items.is_empty() {
        metrics.begun(items.len(), began.duration_since(first));
        let begin_by = first + PATIENCE;
        answers = run(Batch { items, begin_by }).await;
        metrics.run.observe(began.elapsed().as_secs_f64());
    }
    Answered { replies, answers }
}
