//! The guarantees of a lane, one by one, and all together.

mod bounds;
mod chance;
mod order;

use std::sync::{Arc, Mutex};

use tokio::spawn;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};

use super::{Batch, Lane, PATIENCE, Rules};
use crate::failure::Failure;

const NO_ANSWER: Failure = Failure::Bug(String::new());

type Asked = JoinHandle<Result<u32, Failure>>;

type Echo = Lane<u32, u32>;

fn rules() -> Rules<u32, u32> {
    Rules {
        name: "test",
        key: |_| 0,
        bytes: |_| 0,
        side_by_side: 1,
        patience: PATIENCE,
        no_answer: |_| NO_ANSWER,
    }
}

/// Items whose number is their size in KiB.
fn kibibytes() -> Rules<u32, u32> {
    Rules {
        bytes: |item| *item as usize * 1024,
        ..rules()
    }
}

fn echo(items: Vec<u32>) -> Vec<Result<u32, Failure>> {
    items.into_iter().map(Ok).collect()
}

/// A lane whose batches wait at a gate, and record their items.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    begun: Arc<Mutex<Vec<Vec<u32>>>>,
}

impl Gate {
    fn closed(rules: Rules<u32, u32>) -> (Self, Arc<Echo>) {
        let gate = Self {
            open: Arc::new(Semaphore::new(0)),
            begun: Arc::default(),
        };
        let inside = gate.clone();
        let run = move |batch: Batch<u32>| {
            let gate = inside.clone();
            async move {
                gate.begun.lock().unwrap().push(batch.items.clone());
                gate.open.acquire().await.unwrap().forget();
                echo(batch.items)
            }
        };
        (gate, Arc::new(Lane::new(rules, run)))
    }

    fn begun(&self) -> Vec<Vec<u32>> {
        self.begun.lock().unwrap().clone()
    }

    /// Until this many batches have begun.
    async fn until_begun(&self, batches: usize) {
        while self.begun().len() < batches {
            yield_now().await;
        }
    }

    fn let_through(&self, batches: usize) {
        self.open.add_permits(batches);
    }
}

/// Calls a busy lane; the item waits there when this returns.
async fn ask(lane: &Arc<Echo>, item: u32) -> Asked {
    let before = lane.waiting.capacity();
    let asking = Arc::clone(lane);
    let asked = spawn(async move { asking.ask(item).await });
    while lane.waiting.capacity() == before && !asked.is_finished() {
        yield_now().await;
    }
    asked
}

/// A lane with one running batch that has item 0.
async fn busy() -> (Gate, Arc<Echo>) {
    busy_with(0, rules()).await
}

/// A lane with one running batch that has this item.
async fn busy_with(item: u32, rules: Rules<u32, u32>) -> (Gate, Arc<Echo>) {
    let (gate, lane) = Gate::closed(rules);
    let asking = Arc::clone(&lane);
    spawn(async move { asking.ask(item).await });
    gate.until_begun(1).await;
    (gate, lane)
}

#[rocket::async_test]
async fn items_of_gone_callers_are_skipped() {
    let (gate, lane) = busy().await;
    let asked = [ask(&lane, 1).await, ask(&lane, 2).await, ask(&lane, 3).await];
    asked[1].abort();
    while !asked[1].is_finished() {
        yield_now().await;
    }
    gate.let_through(1);
    gate.until_begun(2).await;
    assert_eq!(gate.begun(), [vec![0], vec![1, 3]]);
}

#[rocket::async_test]
async fn a_batch_that_panics_or_misses_answers_affects_only_its_own_items() {
    let lane = Lane::new(rules(), |batch: Batch<u32>| async move {
        assert!(batch.items != [13], "unlucky");
        if batch.items == [7] {
            vec![]
        } else {
            echo(batch.items)
        }
    });
    for (item, answer) in [(1, Ok(1)), (13, Err(NO_ANSWER)), (7, Err(NO_ANSWER)), (2, Ok(2))] {
        assert_eq!(lane.ask(item).await, answer);
    }
}
