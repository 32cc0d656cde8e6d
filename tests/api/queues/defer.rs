//! Changing the visibility timeout of a received message.

use std::time::Instant;

use reqwest::Method;

use super::{acknowledge, assert_elapsed, defer, done, gone, numbers, push, receive, receive_one, start};

#[rocket::async_test]
async fn a_returned_message_is_received_again_at_once() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let first = receive_one(&app, "?visibility=43200").await;
    assert_eq!(defer(&app, &first, 0).await, done());
    let second = receive_one(&app, "").await;
    assert_eq!(second.attempts, 2);
    assert_eq!(defer(&app, &first, 0).await, gone());
}

#[rocket::async_test]
async fn an_extension_counts_from_now() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let message = receive_one(&app, "?visibility=43200").await;
    let deferred = Instant::now();
    assert_eq!(defer(&app, &message, 1).await, done());
    assert_eq!(receive(&app, "").await, []);
    receive_one(&app, "?wait=10").await;
    assert_elapsed(deferred, 1.0);
}

#[rocket::async_test]
async fn a_late_extension_applies_unless_the_message_was_received_again() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let message = receive_one(&app, "").await;
    assert_eq!(defer(&app, &message, 0).await, done());
    assert_eq!(defer(&app, &message, 43200).await, done());
    assert_eq!(receive(&app, "").await, []);
    assert_eq!(acknowledge(&app, &message).await, done());
    assert_eq!(defer(&app, &message, 1).await, gone());
    assert_eq!(numbers(&app).await, [0, 0, 0, 0]);
}

#[rocket::async_test]
async fn an_invalid_visibility_is_refused_and_changes_nothing() {
    let (app, _redis) = start();
    push(&app, "work").await;
    let path = receive_one(&app, "").await.path();
    for body in [
        "",
        "0",
        "{}",
        r#"{"visibility": "0"}"#,
        r#"{"visibility": 0, "x": 1}"#,
    ] {
        let refused = app.authorized(Method::PATCH, &path, body).await;
        assert_eq!(refused.refusal(), (400, "invalid_body"), "{body}");
    }
    for visibility in ["-1", "43201", "1.5"] {
        let body = format!(r#"{{"visibility": {visibility}}}"#);
        let refused = app.authorized(Method::PATCH, &path, body).await;
        assert_eq!(
            refused.error(),
            "visibility must be an integer from 0 to 43200, in seconds."
        );
    }
    assert_eq!(numbers(&app).await, [0, 0, 1, 0]);
}
