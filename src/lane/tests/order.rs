//! Which items share a batch, which batches run concurrently, and when each is answered.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::spawn;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::{Asked, Echo, ask, busy, busy_with, echo, kibibytes, rules};
use crate::lane::{Batch, Lane, Rules};

#[rocket::async_test]
async fn waiting_items_are_the_next_batch_in_order() {
    let (gate, lane) = busy().await;
    for item in 1..=10 {
        ask(&lane, item).await;
    }
    gate.let_through(1);
    gate.until_begun(2).await;
    assert_eq!(gate.begun(), [vec![0], (1..=10).collect()]);
}

#[rocket::async_test]
async fn answers_are_sent_while_the_next_batch_runs() {
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

#[rocket::async_test]
async fn items_of_equal_keys_share_a_batch_whatever_waits_between() {
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
async fn equal_keys_wait_for_the_running_batch_and_share_the_next() {
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

/// A lane with two kinds of items, even and odd, with a gate for each; an even one is running.
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
async fn different_keys_run_concurrently_and_are_answered_as_ready() {
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
async fn concurrent_batches_are_limited() {
    let ([even, odd], lane, first) = even_and_odd(1).await;
    odd.add_permits(1);
    let second = ask(&lane, 1).await;
    for _ in 0..100 {
        yield_now().await;
    }
    assert!(!second.is_finished());
    even.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(0), Ok(1)));
}
