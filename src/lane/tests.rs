//! What a lane promises, one by one, and under everything at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::spawn;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::{BATCH_MAX, Batch, Lane, PATIENCE, Rules, WAITING_MAX};
use crate::failure::{Failure, Overload};

const NO_ANSWER: Failure = Failure::Bug(String::new());

type Asked = tokio::task::JoinHandle<Result<u32, Failure>>;
type Echo = Lane<u32, u32>;

fn rules() -> Rules<u32, u32> {
    Rules {
        name: "test",
        key: |_| 0,
        bytes: |_| 0,
        side_by_side: 1,
        no_answer: |_| NO_ANSWER,
    }
}

fn echo(items: Vec<u32>) -> Vec<Result<u32, Failure>> {
    items.into_iter().map(Ok).collect()
}

/// A lane whose batches wait to be let through, and note their items.
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

    /// Until so many batches have begun.
    async fn until_begun(&self, batches: usize) {
        while self.begun().len() < batches {
            tokio::task::yield_now().await;
        }
    }

    fn let_through(&self, batches: usize) {
        self.open.add_permits(batches);
    }
}

/// Asks a lane that is busy, and waits there when this returns.
async fn ask(lane: &Arc<Echo>, item: u32) -> Asked {
    let before = lane.waiting.capacity();
    let asking = Arc::clone(lane);
    let asked = spawn(async move { asking.ask(item).await });
    while lane.waiting.capacity() == before && !asked.is_finished() {
        tokio::task::yield_now().await;
    }
    asked
}

/// A lane with one batch under way, in which is item 0.
async fn busy() -> (Gate, Arc<Echo>) {
    busy_with(0, rules()).await
}

/// A lane with one batch under way, in which is this item.
async fn busy_with(item: u32, rules: Rules<u32, u32>) -> (Gate, Arc<Echo>) {
    let (gate, lane) = Gate::closed(rules);
    let asking = Arc::clone(&lane);
    spawn(async move { asking.ask(item).await });
    gate.until_begun(1).await;
    (gate, lane)
}

#[rocket::async_test]
async fn what_waits_meanwhile_is_the_next_batch_in_its_order() {
    let (gate, lane) = busy().await;
    for item in 1..=10 {
        ask(&lane, item).await;
    }
    gate.let_through(1);
    gate.until_begun(2).await;
    assert_eq!(gate.begun(), [vec![0], (1..=10).collect()]);
}

#[rocket::async_test]
async fn answers_go_out_while_the_next_batch_is_under_way() {
    let (gate, lane) = busy().await;
    let first = ask(&lane, 1).await;
    gate.let_through(1);
    gate.until_begun(2).await;
    let second = ask(&lane, 2).await;
    gate.let_through(1);
    let answer = timeout(Duration::from_secs(10), first).await;
    assert_eq!(answer.expect("it waits for the next batch").unwrap(), Ok(1));
    gate.until_begun(3).await;
    assert!(!second.is_finished());
}

/// However long the machine takes, nobody has waited too long unless the test says so.
fn with_time_standing_still(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test);
}

#[test]
fn a_batch_has_a_limit_and_a_full_lane_refuses_at_once() {
    with_time_standing_still(async {
        let (gate, lane) = busy().await;
        let mut asked = Vec::new();
        for item in 1..=WAITING_MAX {
            asked.push(ask(&lane, u32::try_from(item).unwrap()).await);
        }
        let full = Failure::Overloaded(Overload::Full);
        assert_eq!(
            (lane.ask(9999).await, lane.has_room()),
            (Err(full.clone()), Err(full))
        );
        gate.let_through(100);
        for (item, answer) in (1..).zip(join_all(asked).await) {
            assert_eq!(answer.unwrap(), Ok(item));
        }
        let sizes: Vec<usize> = gate.begun().iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, BATCH_MAX, BATCH_MAX, BATCH_MAX, BATCH_MAX]);
        assert_eq!(lane.has_room(), Ok(()));
    });
}

#[rocket::async_test]
async fn whoever_has_gone_is_not_worked_for() {
    let (gate, lane) = busy().await;
    let asked = [ask(&lane, 1).await, ask(&lane, 2).await, ask(&lane, 3).await];
    asked[1].abort();
    while !asked[1].is_finished() {
        tokio::task::yield_now().await;
    }
    gate.let_through(1);
    gate.until_begun(2).await;
    assert_eq!(gate.begun(), [vec![0], vec![1, 3]]);
}

#[test]
fn whoever_has_waited_too_long_is_refused() {
    with_time_standing_still(async {
        let (gate, lane) = busy().await;
        let late = ask(&lane, 1).await;
        sleep(PATIENCE / 2).await;
        let in_time = ask(&lane, 2).await;
        sleep(PATIENCE / 2 + Duration::from_millis(1)).await;
        gate.let_through(2);
        assert_eq!(late.await.unwrap(), Err(Failure::Overloaded(Overload::Late)));
        assert_eq!(in_time.await.unwrap(), Ok(2));
        assert_eq!(gate.begun(), [vec![0], vec![2]]);
    });
}

#[test]
fn a_batch_has_the_time_that_its_first_item_has_left() {
    with_time_standing_still(async {
        let begin_by = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&begin_by);
        let run = move |batch: Batch<u32>| {
            noted.lock().unwrap().push(batch.begin_by);
            async move {
                sleep(PATIENCE / 2).await;
                echo(batch.items)
            }
        };
        let lane: Arc<Echo> = Arc::new(Lane::new(rules(), run));
        let began = Instant::now();
        let asking = Arc::clone(&lane);
        let first = spawn(async move { asking.ask(0).await });
        while begin_by.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = ask(&lane, 1).await;
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(0), Ok(1)));
        assert_eq!(*begin_by.lock().unwrap(), [began + PATIENCE, began + PATIENCE]);
    });
}

/// A lane of two kinds of items, even and odd, each of which has a gate of its own; an even one is under way.
async fn even_and_odd(side_by_side: usize) -> ([Arc<Semaphore>; 2], Arc<Echo>, Asked) {
    let gates = [Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0))];
    let (inside, begun) = (gates.clone(), Arc::new(Semaphore::new(0)));
    let telling = Arc::clone(&begun);
    let rules = Rules {
        key: |item| item % 2,
        side_by_side,
        ..rules()
    };
    let run = move |batch: Batch<u32>| {
        let gate = Arc::clone(&inside[batch.items[0] as usize % 2]);
        telling.add_permits(1);
        async move {
            gate.acquire().await.unwrap().forget();
            echo(batch.items)
        }
    };
    let lane = Arc::new(Lane::new(rules, run));
    let asking = Arc::clone(&lane);
    let slow = spawn(async move { asking.ask(0).await });
    begun.acquire().await.unwrap().forget();
    (gates, lane, slow)
}

#[rocket::async_test]
async fn what_does_not_go_together_runs_side_by_side_and_is_answered_as_each_is_ready() {
    let ([even, odd], lane, slow) = even_and_odd(2).await;
    for item in [1, 3, 5] {
        odd.add_permits(1);
        assert_eq!(lane.ask(item).await, Ok(item));
    }
    assert!(!slow.is_finished());
    even.add_permits(1);
    assert_eq!(slow.await.unwrap(), Ok(0));
}

#[rocket::async_test]
async fn no_more_batches_run_than_may_run_side_by_side() {
    let ([even, odd], lane, first) = even_and_odd(1).await;
    odd.add_permits(1);
    let second = ask(&lane, 1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!second.is_finished());
    even.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(0), Ok(1)));
}

/// Items of so many KiB as they say.
fn kibibytes() -> Rules<u32, u32> {
    Rules {
        bytes: |item| *item as usize * 1024,
        ..rules()
    }
}

#[rocket::async_test]
async fn a_batch_is_full_at_a_mebibyte_and_what_is_small_does_not_overtake() {
    let (gate, lane) = busy_with(2000, kibibytes()).await;
    for item in [500, 524, 1, 2, 1022, 3] {
        ask(&lane, item).await;
    }
    gate.let_through(10);
    gate.until_begun(4).await;
    let expected = [vec![2000], vec![500, 524], vec![1, 2], vec![1022]];
    assert_eq!(gate.begun()[..4], expected);
}

#[rocket::async_test]
async fn what_goes_together_is_one_batch_whatever_waits_between() {
    let rules = Rules {
        key: |item| item % 2,
        ..kibibytes()
    };
    let (gate, lane) = busy_with(0, rules).await;
    for item in [101, 1000, 901, 20] {
        ask(&lane, item).await;
    }
    gate.let_through(10);
    gate.until_begun(3).await;
    assert_eq!(gate.begun(), [vec![0], vec![101, 901], vec![1000, 20]]);
}

#[rocket::async_test]
async fn equals_wait_for_those_under_way_and_share_the_next_batch_while_others_run_beside() {
    let rules = Rules {
        key: |item| item % 2,
        side_by_side: 2,
        ..rules()
    };
    let (gate, lane) = busy_with(0, rules).await;
    let mut asked = [2, 4, 1].map(|item| Box::pin(lane.ask(item)));
    for asked in &mut asked {
        let mut context = Context::from_waker(Waker::noop());
        assert!(asked.as_mut().poll(&mut context).is_pending());
    }
    gate.until_begun(2).await;
    assert_eq!(gate.begun(), [[0], [1]]);
    gate.let_through(1);
    gate.until_begun(3).await;
    assert_eq!(gate.begun(), [vec![0], vec![1], vec![2, 4]]);
}

#[rocket::async_test]
async fn no_more_bytes_are_held_than_there_is_room_for_and_room_comes_back() {
    let (gate, lane) = busy_with(1024, kibibytes()).await; // what is under way counts
    let mut asked = Vec::new();
    for _ in 0..15 {
        asked.push(ask(&lane, 1024).await);
    }
    assert_eq!(lane.ask(1).await, Err(Failure::Overloaded(Overload::Full)));
    asked.pop().unwrap().abort(); // and comes back when its turn would have come
    gate.let_through(100);
    for answer in asked {
        assert_eq!(answer.await.unwrap(), Ok(1024));
    }
    assert_eq!(lane.ask(16 * 1024).await, Ok(16 * 1024));
}

#[rocket::async_test]
async fn a_batch_that_panics_or_answers_too_little_costs_its_own_items_alone() {
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

/// What has become of each item, as the batches saw it.
#[derive(Default)]
struct Model {
    /// How often it was worked for.
    runs: Mutex<HashMap<u32, u32>>,
    under_way: AtomicUsize,
    /// Goes up with every batch that begins and every item that is asked for.
    clock: AtomicUsize,
}

impl Model {
    /// Answers with the time at which the batch began; now and then it panics.
    async fn run(self: Arc<Self>, items: Vec<u32>) -> Vec<Result<u32, Failure>> {
        let began = self.clock.fetch_add(1, Ordering::SeqCst);
        let beside = self.under_way.fetch_add(1, Ordering::SeqCst);
        assert!(beside == 0 && !items.is_empty() && items.len() <= BATCH_MAX);
        for item in &items {
            *self.runs.lock().unwrap().entry(*item).or_default() += 1;
        }
        for _ in 0..fastrand::usize(..4) {
            tokio::task::yield_now().await;
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        assert!(fastrand::u32(..20) > 0, "as bad luck would have it");
        items.iter().map(|_| Ok(u32::try_from(began).unwrap())).collect()
    }

    /// Asks, and may lose patience; whether the answer was one that a lane may give.
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

/// Threads that ask, leave and panic as chance has it: whoever stays is answered, by one batch, which began after
/// it was asked for.
#[rocket::async_test]
async fn whatever_happens_everyone_who_stays_is_answered_once() {
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
        tokio::task::yield_now().await; // the lane ends, and lets go of the model
    }
}
