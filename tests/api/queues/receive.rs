//! Receiving: which messages, for how long, and how many.

use std::time::Instant;

use reqwest::Method;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{RECEIVE, acknowledge, assert_elapsed, done, numbers, push, receive, receive_one, start, texts};

#[rocket::async_test]
async fn an_empty_and_a_missing_queue_return_no_messages() {
    let (app, _redis) = start();
    assert_eq!(receive(&app, "").await, []);
    push(&app, "only").await;
    assert_eq!(acknowledge(&app, &receive_one(&app, "").await).await, done());
    assert_eq!(receive(&app, "?max=100").await, []);
}

#[rocket::async_test]
async fn a_received_message_is_invisible_until_its_visibility_timeout() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let received = Instant::now();
    let first = receive_one(&app, "?visibility=1").await;
    assert_eq!(receive(&app, "").await, []);
    let second = receive_one(&app, "?wait=10").await;
    assert_elapsed(received, 1.0);
    assert_eq!((first.attempts, second.attempts), (1, 2));
    assert_eq!((&first.id, &first.message), (&second.id, &second.message));
    assert_ne!(first.receipt, second.receipt);
}

#[rocket::async_test]
async fn a_returned_message_takes_its_old_position() {
    let (app, _redis) = start();
    push(&app, "[1, 2, 3]").await;
    let first = receive_one(&app, "?visibility=100").await;
    assert_eq!(super::defer(&app, &first, 0).await, done());
    assert_eq!(texts(&app, "?max=3").await, ["1", "2", "3"]);
}

#[rocket::async_test]
async fn a_message_has_the_time_of_its_push() {
    let (app, _redis) = start();
    let before = OffsetDateTime::now_utc();
    push(&app, "x").await;
    let after = OffsetDateTime::now_utc();
    let received = app.authorized(Method::POST, RECEIVE, "").await;
    let enqueued_at = received.body["messages"][0]["enqueued_at"].as_str().unwrap();
    let enqueued_at = OffsetDateTime::parse(enqueued_at, &Rfc3339).unwrap();
    assert!((before..=after).contains(&enqueued_at), "{enqueued_at}");
}

#[rocket::async_test]
async fn an_answer_is_limited_to_four_mebibytes_but_has_one_message() {
    let (app, _redis) = start();
    let large = "x".repeat(1024 * 1024);
    for _ in 0..6 {
        push(&app, &large).await;
    }
    assert_eq!(receive(&app, "?max=100").await.len(), 4);
    assert_eq!(receive(&app, "?max=1").await.len(), 1);
    assert_eq!(numbers(&app).await, [1, 0, 5, 0]);
}

#[rocket::async_test]
async fn queues_are_separate() {
    let (app, _redis) = start();
    let names = ["a", "b", "a-b", "0"];
    for name in names {
        let path = format!("/api/queues/{name}/messages");
        assert_eq!(app.authorized(Method::POST, &path, name).await.status, 200);
    }
    for name in names {
        let path = format!("/api/queues/{name}/messages");
        let received = app
            .authorized(Method::POST, &format!("{path}/receive?max=10"), "")
            .await;
        let messages = received.body["messages"].as_array().unwrap();
        assert_eq!((messages.len(), &messages[0]["message"]), (1, &name.into()));
        let purged = app
            .authorized(Method::POST, &format!("/api/queues/{name}/purge"), "")
            .await;
        assert_eq!(purged.body["purged"], 1);
    }
}
