//! Redis with replicas and Sentinel: the guarantees when the primary dies.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;
use rocket::futures::future::{join, join_all};
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::sleep;

use crate::support::{App, Database, Redis, Sentinels};

const CLIENTS: usize = 32;

#[derive(Default)]
struct Ledger {
    answered: Mutex<Vec<(String, Instant)>>,
    slowest: Mutex<Duration>,
    ended: AtomicBool,
}

async fn push_until_the_end(app: &App, client: usize, ledger: &Ledger) {
    for number in 0.. {
        if ledger.ended.load(Ordering::SeqCst) {
            return;
        }
        let (message, asked) = (format!("{client}-{number}"), Instant::now());
        let pushed = app
            .authorized(Method::POST, "/api/queue/push", message.clone())
            .await;
        let mut slowest = ledger.slowest.lock().unwrap();
        *slowest = slowest.max(asked.elapsed());
        match pushed.status {
            200 => ledger.answered.lock().unwrap().push((message, Instant::now())),
            status => assert_eq!(status, 503, "{pushed:?}"),
        }
    }
}

async fn wait_for(enough: impl Fn() -> bool) {
    let began = Instant::now();
    while !enough() {
        assert!(began.elapsed() < Duration::from_secs(15));
        sleep(Duration::from_millis(5)).await;
    }
}

#[rocket::async_test]
async fn a_failover_loses_no_message_that_was_replicated() {
    let mut sentinels = spawn_blocking(Sentinels::start).await.unwrap();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &sentinels.url());
    let app = app.with("REDIS_WAIT_REPLICAS", "1").start();
    let ledger = Ledger::default();
    let number = || ledger.answered.lock().unwrap().len();
    let drill = async {
        wait_for(|| number() >= 500).await;
        sentinels.kill_primary();
        let sentinels = spawn_blocking(move || {
            sentinels.wait_for_promotion();
            sentinels
        })
        .await
        .unwrap();
        let at = Instant::now();
        let later = || {
            ledger
                .answered
                .lock()
                .unwrap()
                .last()
                .is_some_and(|(_, answered)| *answered > at)
        };
        wait_for(later).await;
        let well = at.elapsed();
        let enough = number() + 500;
        wait_for(|| number() >= enough).await;
        ledger.ended.store(true, Ordering::SeqCst);
        (sentinels, well)
    };
    let pushing = join_all((0..CLIENTS).map(|client| push_until_the_end(&app, client, &ledger)));
    let ((sentinels, well), _) = join(drill, pushing).await;
    // Reconnects: a sentinel closes the client connections of the replica that it promotes.
    let mut promoted = sentinels.wait_for_promotion();
    let kept: HashSet<String> = promoted.lrange("message_queue", 0, -1).unwrap();
    let answered = ledger.answered.into_inner().unwrap();
    let lost = answered.iter().filter(|(message, _)| !kept.contains(message));
    assert_eq!(lost.count(), 0, "of {}", answered.len());
    assert!(well < Duration::from_secs(3), "{well:?}");
    let slowest = ledger.slowest.into_inner().unwrap();
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[rocket::async_test]
async fn a_write_on_too_few_replicas_is_not_confirmed_and_reads_work() {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url);
    let app = app.with("REDIS_WAIT_REPLICAS", "1").start();
    for (path, body) in [
        ("/api/queue/push", "x"),
        ("/api/queues/mails/messages", "x"),
        ("/set", r#"{"id": "a", "data": "b"}"#),
    ] {
        let asked = Instant::now();
        let unsure = app.authorized(Method::POST, path, body).await;
        assert_eq!(unsure.refusal(), (503, "outcome_unknown"), "{path}");
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
    let counted = app.authorized(Method::GET, "/api/queue/count", "").await;
    assert_eq!(counted.body["count"], 1);
    // Removals need not be replicated: at worst a message is delivered again.
    let popped = app.authorized(Method::POST, "/api/queue/pop", "").await;
    assert_eq!(popped.body["message"], "x");
    let receive = "/api/queues/mails/messages/receive";
    let received = app.authorized(Method::POST, receive, "").await;
    let message = &received.body["messages"][0];
    assert_eq!(message["message"], "x", "{received:?}");
    let receipt = format!(
        "/api/queues/mails/messages/{}",
        message["receipt"].as_str().unwrap()
    );
    assert_eq!(app.authorized(Method::DELETE, &receipt, "").await.status, 200);
    assert_eq!(app.authorized(Method::GET, "/get/a", "").await.body["a"], "b");
}
