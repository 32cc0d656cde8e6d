//! Acknowledging.

use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::futures::future::join_all;
use serde_json::json;

use super::{PUSH, acknowledge, done, gone, numbers, push, receive, receive_one, start};

#[rocket::async_test]
async fn an_acknowledged_message_is_gone() {
    let (app, redis) = start();
    push(&app, "work").await;
    let message = receive_one(&app, "").await;
    let answer = app.authorized(Method::DELETE, &message.path(), "").await;
    assert_eq!((answer.status, answer.body), (200, json!({"status": "ok"})));
    assert_eq!(numbers(&app).await, [0, 0, 0, 0]);
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis.connect()).unwrap();
    keys.sort();
    assert_eq!(keys, ["queue:{mails}:sequence", "queues"]);
}

#[rocket::async_test]
async fn a_receipt_acknowledges_once_and_in_its_own_queue() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let message = receive_one(&app, "").await;
    let elsewhere = format!("/api/queues/other/messages/{}", message.receipt);
    let answer = app.authorized(Method::DELETE, &elsewhere, "").await;
    assert_eq!(answer.refusal(), (404, "receipt_not_found"));
    assert_eq!(acknowledge(&app, &message).await, done());
    assert_eq!(acknowledge(&app, &message).await, gone());
    let never = app.authorized(Method::DELETE, &format!("{PUSH}/x"), "").await;
    assert_eq!(never.refusal(), (404, "receipt_not_found"));
}

#[rocket::async_test]
async fn a_late_receipt_is_valid_until_the_message_is_received_again() {
    let (app, _redis) = start();
    push(&app, "[1, 2]").await;
    let late = receive(&app, "?max=2&visibility=1").await;
    let received = Instant::now();
    while numbers(&app).await != [2, 0, 0, 0] {
        assert!(received.elapsed() < Duration::from_secs(5));
    }
    let again = receive_one(&app, "").await;
    assert_eq!(again.id, late[0].id);
    assert_eq!(acknowledge(&app, &late[0]).await, gone());
    assert_eq!(acknowledge(&app, &late[1]).await, done());
    assert_eq!(acknowledge(&app, &again).await, done());
    assert_eq!(numbers(&app).await, [0, 0, 0, 0]);
}

#[rocket::async_test]
async fn a_dead_letter_can_be_acknowledged_with_its_last_receipt() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let mut older = Vec::new();
    for _ in 0..4 {
        let message = receive_one(&app, "").await;
        super::defer(&app, &message, 0).await;
        older.push(message);
    }
    let last = receive_one(&app, "?visibility=1").await;
    let received = Instant::now();
    while numbers(&app).await != [0, 0, 0, 1] {
        assert!(received.elapsed() < Duration::from_secs(5));
    }
    for message in &older {
        assert_eq!(acknowledge(&app, message).await, gone());
    }
    assert_eq!(acknowledge(&app, &last).await, done());
    assert_eq!(numbers(&app).await, [0, 0, 0, 0]);
}

#[rocket::async_test]
async fn one_of_many_concurrent_acknowledgements_succeeds() {
    let (app, _redis) = start();
    for _ in 0..10 {
        push(&app, "work").await;
        let message = receive_one(&app, "").await;
        let asking = join_all((0..20).map(|_| acknowledge(&app, &message)));
        let succeeded = asking.await.into_iter().filter(|answer| *answer == done());
        assert_eq!(succeeded.count(), 1);
    }
}
