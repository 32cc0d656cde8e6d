//! Threads that call, leave and panic at random.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::spawn;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::{Echo, NO_ANSWER, rules};
use crate::failure::Failure;
use crate::lane::{BATCH_MAX, Batch, Lane};

/// The fate of each item, as the batches saw it.
#[derive(Default)]
struct Model {
    /// How often it was run.
    runs: Mutex<HashMap<u32, u32>>,
    under_way: AtomicUsize,
    /// Incremented by every batch that begins and every item that is sent.
    clock: AtomicUsize,
}

impl Model {
    /// Answers with the time at which the batch began; occasionally it panics.
    async fn run(self: Arc<Self>, items: Vec<u32>) -> Vec<Result<u32, Failure>> {
        let began = self.clock.fetch_add(1, Ordering::SeqCst);
        let beside = self.under_way.fetch_add(1, Ordering::SeqCst);
        assert!(beside == 0 && !items.is_empty() && items.len() <= BATCH_MAX);
        for item in &items {
            *self.runs.lock().unwrap().entry(*item).or_default() += 1;
        }
        for _ in 0..fastrand::usize(..4) {
            yield_now().await;
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        assert!(fastrand::u32(..20) > 0, "as bad luck would have it");
        items.iter().map(|_| Ok(u32::try_from(began).unwrap())).collect()
    }

    /// Sends an item, and may lose patience; returns whether the answer is one that a lane may give.
    async fn ask(&self, lane: &Echo, item: u32) {
        let asked = self.clock.fetch_add(1, Ordering::SeqCst);
        let patience = Duration::from_micros(fastrand::u64(..2000));
        let hasty = fastrand::u32(..4) == 0;
        let answer = if hasty {
            timeout(patience, lane.ask(item)).await.ok()
        } else {
            Some(lane.ask(item).await)
        };
        let runs = self.runs.lock().unwrap().get(&item).copied().unwrap_or(0);
        match answer {
            Some(Ok(began)) => assert!(runs == 1 && began as usize > asked, "item {item}"),
            Some(Err(Failure::Overloaded(_))) => assert_eq!(runs, 0, "item {item}"),
            Some(Err(failure)) => assert_eq!((runs, failure), (1, NO_ANSWER), "item {item}"),
            None => assert!(runs <= 1, "item {item}"),
        }
    }
}

/// Threads that call, leave and panic at random: every caller that stays is answered, by one batch, which began
/// after its call.
#[rocket::async_test]
async fn every_caller_that_stays_is_answered_once() {
    let model = Arc::new(Model::default());
    let running = Arc::clone(&model);
    let run = move |batch: Batch<u32>| Arc::clone(&running).run(batch.items);
    let lane = Arc::new(Lane::new(rules(), run));
    let clients = (0..50_u32).map(|client| {
        let (model, lane) = (Arc::clone(&model), Arc::clone(&lane));
        spawn(async move {
            for number in 0..200 {
                model.ask(&lane, client * 200 + number).await;
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
    drop(lane);
    while Arc::strong_count(&model) > 1 {
        yield_now().await; // the lane ends, and drops the model
    }
}
