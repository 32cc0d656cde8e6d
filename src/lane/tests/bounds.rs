//! The limits of a lane in items, bytes and waiting time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::spawn;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::{Echo, ask, busy, busy_with, echo, kibibytes, rules};
use crate::failure::{Failure, Overload};
use crate::lane::{BATCH_MAX, Batch, Lane, PATIENCE, WAITING_MAX};

/// However slow the machine is, no item has waited too long unless the test says so.
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

#[test]
fn an_item_that_has_waited_too_long_is_refused() {
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
fn the_deadline_of_a_batch_is_that_of_its_first_item() {
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
            yield_now().await;
        }
        let second = ask(&lane, 1).await;
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(0), Ok(1)));
        assert_eq!(*begin_by.lock().unwrap(), [began + PATIENCE, began + PATIENCE]);
    });
}

#[rocket::async_test]
async fn a_batch_is_full_at_a_mebibyte_and_small_items_do_not_overtake() {
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
async fn the_bytes_of_items_are_bounded_and_released() {
    let (gate, lane) = busy_with(1024, kibibytes()).await; // running items count
    let mut asked = Vec::new();
    for _ in 0..15 {
        asked.push(ask(&lane, 1024).await);
    }
    assert_eq!(lane.ask(1).await, Err(Failure::Overloaded(Overload::Full)));
    asked.pop().unwrap().abort(); // and released when its turn would have come
    gate.let_through(100);
    for answer in asked {
        assert_eq!(answer.await.unwrap(), Ok(1024));
    }
    assert_eq!(lane.ask(16 * 1024).await, Ok(16 * 1024));
}
