//! A Redis at its `maxmemory`, and too many dead letters.

use reqwest::Method;
use serde_json::json;

use super::{
    DEAD, PURGE, PUSH, acknowledge, defer, done, kill_all, numbers, push, push_with, receive, receive_one,
    start,
};
use crate::support::{App, Redis};

async fn refused(app: &App) {
    let refused = app.authorized(Method::POST, PUSH, "x").await;
    assert_eq!(refused.refusal(), (507, "broker_full"));
}

#[rocket::async_test]
async fn a_queue_can_be_drained_when_redis_is_full() {
    let (app, redis) = start();
    push(&app, &format!("[{}]", vec!["1"; 600].join(","))).await;
    redis.set("maxmemory", "1");
    refused(&app).await;
    let mut drained = 0;
    while numbers(&app).await != [0, 0, 0, 0] {
        for message in receive(&app, "?max=100").await {
            assert_eq!(acknowledge(&app, &message).await, done());
            drained += 1;
        }
        refused(&app).await;
    }
    assert_eq!(drained, 600);
    redis.set("maxmemory", "0");
    push(&app, "again").await;
}

#[rocket::async_test]
async fn requests_that_add_no_messages_work_when_redis_is_full() {
    let (app, redis) = start();
    push(&app, "[1, 2, 3]").await;
    push_with(&app, "?delay=1", "4").await;
    redis.set("maxmemory", "1");
    let first = receive_one(&app, "").await;
    assert_eq!(defer(&app, &first, 100).await, done());
    kill_all(&app).await;
    assert_eq!(numbers(&app).await[2..], [1, 2]);
    let shown = app.authorized(Method::GET, DEAD, "").await;
    assert_eq!(shown.body["messages"].as_array().unwrap().len(), 2);
    let redriven = app
        .authorized(Method::POST, &format!("{DEAD}/redrive?max=1"), "")
        .await;
    assert_eq!(redriven.body["redriven"], 1);
    for (path, number) in [(format!("{DEAD}/purge"), 1), (PURGE.to_owned(), 3)] {
        let purged = app.authorized(Method::POST, &path, "").await;
        assert_eq!(purged.body, json!({"status": "ok", "purged": number}));
    }
    let deleted = app.authorized(Method::DELETE, "/api/queues/mails", "").await;
    assert_eq!(deleted.status, 200);
    refused(&app).await;
}

/// Messages after their fifth visibility timeout, as stored in Redis.
fn expired(redis: &Redis, number: usize, text: &str) {
    let mut messages = redis::pipe();
    let key = |part: &str| format!("queue:{{mails}}:{part}");
    for id in (1..=number).map(|place| 1_000_000 + place) {
        messages.hset(key("messages"), id, text).ignore();
        messages
            .hset(key("deliveries"), id, "5 01J00000000000000000000000")
            .ignore();
        messages.zadd(key("in_flight"), id, 1).ignore();
    }
    messages.set(key("sequence"), 2_000_000).ignore();
    let _: () = messages.query(&mut redis.connect()).unwrap();
}

/// Until every due message has become a dead letter.
async fn bury(app: &App) -> [u64; 4] {
    loop {
        match numbers(app).await {
            dead @ [0, 0, 0, _] => return dead,
            _ => continue,
        }
    }
}

async fn dropped(app: &App) -> u64 {
    let shown = app.authorized(Method::GET, "/api/queues/mails", "").await;
    shown.body["dead_dropped"].as_u64().unwrap()
}

async fn oldest(app: &App) -> String {
    let dead = app.authorized(Method::GET, &format!("{DEAD}?limit=1"), "").await;
    dead.body["messages"][0]["id"].as_str().unwrap().to_owned()
}

#[rocket::async_test]
async fn of_too_many_dead_letters_the_oldest_are_dropped_and_counted() {
    let (app, redis) = start();
    expired(&redis, 10_300, "poison");
    assert_eq!(bury(&app).await, [0, 0, 0, 10_000]);
    assert_eq!(
        (dropped(&app).await, oldest(&app).await),
        (300, "1000301".to_owned())
    );
}

#[rocket::async_test]
async fn of_too_large_dead_letters_the_oldest_are_dropped_and_counted() {
    let (app, redis) = start();
    expired(&redis, 70, &"x".repeat(1024 * 1024));
    assert_eq!(bury(&app).await, [0, 0, 0, 64]);
    assert_eq!(
        (dropped(&app).await, oldest(&app).await),
        (6, "1000007".to_owned())
    );
    let purged = app.authorized(Method::POST, &format!("{DEAD}/purge"), "").await;
    assert_eq!(purged.body["purged"], 64);
    // Purged and redriven dead letters no longer count.
    expired(&redis, 64, &"x".repeat(1024 * 1024));
    assert_eq!(bury(&app).await, [0, 0, 0, 64]);
    let redriven = app.authorized(Method::POST, &format!("{DEAD}/redrive"), "").await;
    assert_eq!(
        (redriven.body["redriven"].as_u64(), dropped(&app).await),
        (Some(64), 6)
    );
}
