//! Consumers that crash, and a Redis that crashes.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::futures::future::{join, join_all};
use rocket::tokio::time::sleep;

use super::{PUSH, RECEIVE, Received, acknowledge, done, gone, numbers, push, receive, serve, start};
use crate::support::{App, Redis};

const MESSAGES: usize = 10_000;
const CONSUMERS: usize = 20;
const CRASH_CONSUMERS: usize = 5;
const VISIBILITY: Duration = Duration::from_secs(2);

/// Shared records of all consumers.
#[derive(Default)]
struct Seen {
    acknowledged: Mutex<HashSet<String>>,
    /// The time of the request of a message's last delivery.
    asked: Mutex<HashMap<String, Instant>>,
    redelivered: AtomicUsize,
    dead: AtomicUsize,
}

impl Seen {
    /// A message may be delivered again, but not before its visibility timeout.
    fn note(&self, message: &Received, asked: Instant) {
        let before = self.asked.lock().unwrap().insert(message.id.clone(), asked);
        assert_eq!(before.is_none(), message.attempts == 1, "{message:?}");
        if let Some(before) = before {
            assert!(before.elapsed() >= VISIBILITY, "{:?}", before.elapsed());
            self.redelivered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// About one batch in ten dies with its consumer, and none often enough to become dead letters.
fn dies(batch: &[Received], turn: usize) -> bool {
    let spared = batch.iter().any(|message| message.attempts >= 4);
    !spared && turn.wrapping_mul(2_654_435_761) % 1000 < 100
}

async fn consume(app: &App, consumer: usize, seen: &Seen) {
    let query = format!("?max=20&wait=1&visibility={}", VISIBILITY.as_secs());
    for turn in (consumer..).step_by(CONSUMERS) {
        let asked = Instant::now();
        let batch = receive(app, &query).await;
        for message in &batch {
            seen.note(message, asked);
        }
        if dies(&batch, turn) {
            seen.dead.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        for message in &batch {
            if acknowledge(app, message).await == done() {
                seen.acknowledged.lock().unwrap().insert(message.message.clone());
            }
        }
        if seen.acknowledged.lock().unwrap().len() == MESSAGES {
            return;
        }
    }
}

#[rocket::async_test]
async fn with_crashing_consumers_every_message_is_acknowledged_and_none_is_early() {
    let (app, _redis) = start();
    let seen = Seen::default();
    let pushing = async {
        for first in (0..MESSAGES).step_by(100) {
            let batch: Vec<_> = (first..first + 100).map(|number| number.to_string()).collect();
            push(&app, &serde_json::to_string(&batch).unwrap()).await;
        }
    };
    let consuming = join_all((0..CONSUMERS).map(|consumer| consume(&app, consumer, &seen)));
    join(pushing, consuming).await;
    let acknowledged = seen.acknowledged.into_inner().unwrap();
    assert!((0..MESSAGES).all(|number| acknowledged.contains(&number.to_string())));
    assert_eq!(numbers(&app).await, [0, 0, 0, 0]);
    assert!(seen.dead.into_inner() > 5 && seen.redelivered.into_inner() > 50);
}

/// Confirmed requests, and acknowledgements that may have succeeded without an answer.
#[derive(Default)]
struct Ledger {
    pushed: Mutex<HashSet<String>>,
    acknowledged: Mutex<HashSet<String>>,
    unsure: Mutex<HashSet<String>>,
    ended: AtomicBool,
}

async fn push_until_the_end(app: &App, pusher: usize, ledger: &Ledger) {
    for number in 0.. {
        if ledger.ended.load(Ordering::Relaxed) {
            return;
        }
        let message = format!("{pusher}-{number}");
        let answer = app.authorized(Method::POST, PUSH, message.clone()).await;
        match answer.status {
            200 => assert!(ledger.pushed.lock().unwrap().insert(message)),
            status => assert_eq!(status, 503),
        }
    }
}

async fn consume_until_the_end(app: &App, ledger: &Ledger) {
    while !ledger.ended.load(Ordering::Relaxed) {
        let answer = app
            .authorized(Method::POST, &format!("{RECEIVE}?visibility=1"), "")
            .await;
        if answer.status != 200 {
            continue;
        }
        for message in answer.body["messages"].as_array().unwrap() {
            let message = Received::of(message);
            let (status, code) = acknowledge(app, &message).await;
            let to = match (status, code.as_str()) {
                (200, _) => &ledger.acknowledged,
                (503, "outcome_unknown") => &ledger.unsure,
                // It was received again, or nothing was done: it must appear again.
                (404 | 503, _) => continue,
                _ => panic!("{status} {code}"),
            };
            to.lock().unwrap().insert(message.message);
        }
    }
}

/// Three times meanwhile, the last time with a clean stop.
async fn crash(redis: &Redis, ledger: &Ledger) {
    for end in [Redis::kill, Redis::kill, Redis::stop] {
        let enough = ledger.acknowledged.lock().unwrap().len() + 200;
        while ledger.acknowledged.lock().unwrap().len() < enough {
            sleep(Duration::from_millis(5)).await;
        }
        end(redis);
        redis.start_again();
    }
    ledger.ended.store(true, Ordering::Relaxed);
}

/// All remaining messages, waiting for those in flight.
async fn drain(app: &App) -> HashSet<String> {
    let mut left = HashSet::new();
    loop {
        for message in receive(app, "?max=100&wait=3&visibility=10").await {
            assert_eq!(acknowledge(app, &message).await, done());
            assert_eq!(acknowledge(app, &message).await, gone());
            left.insert(message.message);
        }
        if numbers(app).await[..3] == [0, 0, 0] {
            return left;
        }
    }
}

#[rocket::async_test]
async fn a_killed_redis_loses_nothing_that_was_confirmed() {
    let redis = Redis::with(&["--appendfsync", "always"]);
    let (app, ledger) = (serve(&redis), Ledger::default());
    let pushing = join_all((0..10).map(|pusher| push_until_the_end(&app, pusher, &ledger)));
    let consuming = join_all((0..CRASH_CONSUMERS).map(|_| consume_until_the_end(&app, &ledger)));
    join(join(pushing, consuming), crash(&redis, &ledger)).await;
    let left = drain(&app).await;
    let pushed = ledger.pushed.into_inner().unwrap();
    let acknowledged = ledger.acknowledged.into_inner().unwrap();
    let unsure = ledger.unsure.into_inner().unwrap();
    for message in &pushed {
        let known = left.contains(message) || acknowledged.contains(message) || unsure.contains(message);
        assert!(known, "{message} is lost");
    }
    assert!(left.is_disjoint(&acknowledged), "what was acknowledged came back");
    // Requests in flight at one of the three crashes, so that they do not excuse many.
    assert!(unsure.len() <= 3 * CRASH_CONSUMERS, "{}", unsure.len());
    assert!(numbers(&app).await[3] == 0 && acknowledged.len() >= 600);
}
