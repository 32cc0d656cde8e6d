//! Dead letters: how messages become dead letters, and what happens to them.

use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;
use serde_json::json;

use super::{
    DEAD, PURGE, acknowledge, defer, done, gone, kill_all, numbers, push, push_with, receive, receive_one,
    start, texts,
};

#[rocket::async_test]
async fn a_message_dies_when_its_fifth_delivery_is_not_acknowledged() {
    let (app, _redis) = start();
    let ids = push(&app, "poison").await;
    for attempt in 1..=5 {
        let message = receive_one(&app, "").await;
        assert_eq!(message.attempts, attempt);
        assert_eq!(numbers(&app).await, [0, 0, 1, 0]);
        assert_eq!(defer(&app, &message, 0).await, done());
    }
    assert_eq!(receive(&app, "").await, []);
    let dead = app.authorized(Method::GET, DEAD, "").await;
    let letter = &dead.body["messages"][0];
    assert_eq!((dead.status, &dead.body["status"]), (200, &json!("ok")));
    assert_eq!(
        (&letter["id"], &letter["message"]),
        (&json!(ids[0]), &json!("poison"))
    );
    assert_eq!(letter["attempts"], 5);
    assert!(letter["enqueued_at"].as_str() < letter["dead_since"].as_str());
}

#[rocket::async_test]
async fn a_message_dies_after_its_last_visibility_timeout_without_a_receive() {
    let (app, _redis) = start();
    push(&app, "poison").await;
    for _ in 0..4 {
        let message = receive_one(&app, "").await;
        defer(&app, &message, 0).await;
    }
    receive_one(&app, "?visibility=1").await;
    let received = Instant::now();
    let letters = async || {
        let dead = app.authorized(Method::GET, DEAD, "").await;
        dead.body["messages"].as_array().unwrap().len()
    };
    while letters().await == 0 {
        assert!(received.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(numbers(&app).await, [0, 0, 0, 1]);
}

#[rocket::async_test]
async fn redriven_dead_letters_are_messages_with_no_attempts() {
    let (app, _redis) = start();
    push(&app, "[1, 2, 3]").await;
    kill_all(&app).await;
    push(&app, "4").await;
    let redrive = format!("{DEAD}/redrive");
    let redriven = app
        .authorized(Method::POST, &format!("{redrive}?max=1"), "")
        .await;
    assert_eq!(redriven.body, json!({"status": "ok", "redriven": 1}));
    assert_eq!(numbers(&app).await, [2, 0, 0, 2]);
    let redriven = app.authorized(Method::POST, &redrive, "").await;
    assert_eq!(redriven.body["redriven"], 2);
    let received = receive(&app, "?max=10").await;
    assert!(received.iter().all(|message| message.attempts == 1));
    assert!(
        received
            .iter()
            .map(|message| message.message.as_str())
            .eq(["1", "2", "3", "4"])
    );
    let redriven = app.authorized(Method::POST, &redrive, "").await;
    assert_eq!(redriven.body["redriven"], 0);
}

#[rocket::async_test]
async fn the_list_has_a_limit_and_begins_with_the_oldest_dead_letter() {
    let (app, _redis) = start();
    push(&app, r#"["a", "b", "c"]"#).await;
    kill_all(&app).await;
    let dead = app.authorized(Method::GET, &format!("{DEAD}?limit=2"), "").await;
    let letters = dead.body["messages"].as_array().unwrap();
    let texts: Vec<_> = letters.iter().map(|letter| &letter["message"]).collect();
    assert_eq!(texts, ["a", "b"]);
}

#[rocket::async_test]
async fn a_purge_removes_all_but_dead_letters_and_counts_them() {
    let (app, redis) = start();
    let texts_are_kept = || -> bool { redis.connect().exists("queue:{mails}:messages").unwrap() };
    push(&app, "[1, 2]").await;
    kill_all(&app).await;
    assert!(!texts_are_kept(), "but as dead letters");
    push(&app, "[3, 4, 5]").await;
    push_with(&app, "?delay=100", "6").await;
    let received = receive_one(&app, "").await;
    assert_eq!(numbers(&app).await, [2, 1, 1, 2]);
    let purged = app.authorized(Method::POST, PURGE, "").await;
    assert_eq!(purged.body, json!({"status": "ok", "purged": 4}));
    assert!(!texts_are_kept());
    assert_eq!(numbers(&app).await, [0, 0, 0, 2]);
    assert_eq!(acknowledge(&app, &received).await, gone());
    assert_eq!(defer(&app, &received, 0).await, gone());
    assert_eq!(receive(&app, "?max=10").await, []);
}

#[rocket::async_test]
async fn purging_dead_letters_keeps_the_others() {
    let (app, _redis) = start();
    push(&app, "[1, 2]").await;
    kill_all(&app).await;
    push(&app, "3").await;
    let purged = app.authorized(Method::POST, &format!("{DEAD}/purge"), "").await;
    assert_eq!(purged.body, json!({"status": "ok", "purged": 2}));
    assert_eq!(numbers(&app).await, [1, 0, 0, 0]);
    assert_eq!(texts(&app, "").await, ["3"]);
}

#[rocket::async_test]
async fn thousands_of_dead_letters_are_redriven_in_one_request() {
    let (app, _redis) = start();
    let batch = format!("[{}]", vec!["1"; 1000].join(","));
    for _ in 0..2 {
        push(&app, &batch).await;
    }
    for _ in 0..5 * 2000 / 100 {
        let message = receive(&app, "?max=100&visibility=1").await;
        assert!(message.len() <= 100);
    }
    let began = Instant::now();
    while numbers(&app).await[3] < 2000 {
        receive(&app, "?max=100&visibility=1").await;
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    let redriven = app.authorized(Method::POST, &format!("{DEAD}/redrive"), "").await;
    assert_eq!(redriven.body["redriven"], 2000);
    assert_eq!(numbers(&app).await, [2000, 0, 0, 0]);
}
