//! The counts of a queue, and the list of queues.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::{PURGE, numbers, push, push_with, receive, receive_one, start};

#[rocket::async_test]
async fn a_queue_without_a_push_does_not_exist() {
    let (app, redis) = start();
    receive(&app, "").await;
    app.authorized(Method::POST, PURGE, "").await;
    let shown = app.authorized(Method::GET, "/api/queues/mails", "").await;
    assert_eq!(shown.refusal(), (404, "queue_not_found"));
    // The state after a crash between the name and the first message.
    let _: () = redis::cmd("SADD")
        .arg("queues")
        .arg("mails")
        .query(&mut redis.connect())
        .unwrap();
    let listed = app.authorized(Method::GET, "/api/queues", "").await;
    assert_eq!(listed.body, json!({"status": "ok", "queues": []}));
}

#[rocket::async_test]
async fn messages_are_counted_by_state() {
    let (app, _redis) = start();
    push(&app, "[1, 2, 3]").await;
    push_with(&app, "?delay=100", "[4, 5]").await;
    receive_one(&app, "").await;
    assert_eq!(numbers(&app).await, [2, 2, 1, 0]);
}

#[rocket::async_test]
async fn due_messages_count_as_ready_however_many() {
    let (app, _redis) = start();
    let batch = format!("[{}]", vec!["1"; 1000].join(","));
    push_with(&app, "?delay=1", &batch).await;
    let pushed = Instant::now();
    while numbers(&app).await[0] == 0 {
        assert!(pushed.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(numbers(&app).await, [1000, 0, 0, 0]);
}

#[rocket::async_test]
async fn the_age_is_that_of_the_oldest_ready_message() {
    let (app, _redis) = start();
    let pushed = Instant::now();
    push(&app, "old").await;
    let age = async || {
        let shown = app.authorized(Method::GET, "/api/queues/mails", "").await;
        shown.body["oldest_age_seconds"].as_f64()
    };
    while age().await.unwrap() < 0.2 {
        assert!(pushed.elapsed() < Duration::from_secs(5));
    }
    assert!(pushed.elapsed() >= Duration::from_millis(200));
    push(&app, "young").await;
    assert!(age().await.unwrap() >= 0.2);
    receive_one(&app, "").await;
    assert!(age().await.unwrap() < pushed.elapsed().as_secs_f64() - 0.2);
    receive_one(&app, "").await;
    assert_eq!(age().await, None);
}

#[rocket::async_test]
async fn the_list_has_every_queue_sorted_by_name() {
    let (app, _redis) = start();
    for name in ["b", "a", "c"] {
        let path = format!("/api/queues/{name}/messages");
        app.authorized(Method::POST, &path, "[1, 2]").await;
    }
    let listed = app.authorized(Method::GET, "/api/queues/", "").await;
    let queues = listed.body["queues"].as_array().unwrap();
    let names: Vec<_> = queues.iter().map(|queue| &queue["name"]).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for queue in queues {
        assert_eq!((&queue["ready"], &queue["dead"]), (&json!(2), &json!(0)));
    }
}
