//! Pushing: one message or a batch, now or later.

use std::time::Instant;

use reqwest::Method;

use super::{PUSH, assert_elapsed, numbers, push, push_with, receive, receive_one, start, texts};

#[rocket::async_test]
async fn messages_are_first_in_first_out() {
    let (app, _redis) = start();
    push(&app, "first").await;
    push(&app, r#"["second", {"third": 3}]"#).await;
    push(&app, "fourth").await;
    assert_eq!(texts(&app, "?max=3").await, ["first", "second", r#"{"third":3}"#]);
    assert_eq!(texts(&app, "?max=3").await, ["fourth"]);
}

#[rocket::async_test]
async fn each_message_has_an_id_that_its_receiver_sees() {
    let (app, _redis) = start();
    let mut ids = push(&app, "[1, 2, 3]").await;
    ids.extend(push(&app, "4").await);
    let received = receive(&app, "?max=10").await;
    assert_eq!(ids.len(), 4);
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(received.iter().map(|message| &message.id).eq(&ids));
}

#[rocket::async_test]
async fn a_message_is_returned_unchanged() {
    let (app, _redis) = start();
    let every_character: String = (0..=0x10_FFFF).step_by(7).filter_map(char::from_u32).collect();
    let ascii: String = (0..128).map(char::from).collect();
    for message in [String::new(), ascii, "\"\\\n\r\0{}]".to_owned(), every_character] {
        push(&app, &message).await;
        assert!(receive_one(&app, "").await.message == message);
        push(&app, &serde_json::to_string(&[&message]).unwrap()).await;
        assert!(receive_one(&app, "").await.message == message);
    }
}

#[rocket::async_test]
async fn a_refused_batch_leaves_nothing() {
    let (app, _redis) = start();
    push(&app, "to make the queue").await;
    let too_large = "x".repeat(1024 * 1024 + 1);
    let too_many = format!("[{}]", vec!["1"; 1001].join(","));
    let far_too_large = "x".repeat(7 * 1024 * 1024 + 1);
    for (body, refusal) in [
        (too_large.clone().into_bytes(), (413, "payload_too_large")),
        (
            format!(r#"[1, "{too_large}"]"#).into_bytes(),
            (413, "payload_too_large"),
        ),
        (far_too_large.into_bytes(), (413, "payload_too_large")),
        (too_many.into_bytes(), (400, "out_of_range")),
        (b" [ ] ".to_vec(), (400, "out_of_range")),
        (b"ok\xff".to_vec(), (400, "invalid_body")),
        (br#"["ok", "\ud800"]"#.to_vec(), (400, "invalid_body")),
    ] {
        let refused = app.authorized(Method::POST, PUSH, body).await;
        assert_eq!(refused.refusal(), refusal);
    }
    assert_eq!(numbers(&app).await, [1, 0, 0, 0]);
}

#[rocket::async_test]
async fn the_largest_message_and_the_longest_batch_are_accepted() {
    let (app, _redis) = start();
    let largest = "x".repeat(1024 * 1024);
    push(&app, &largest).await;
    let batch = format!("[{}]", vec!["1"; 1000].join(","));
    assert_eq!(push(&app, &batch).await.len(), 1000);
    assert!(receive_one(&app, "").await.message == largest);
    assert_eq!(numbers(&app).await, [1000, 0, 1, 0]);
}

#[rocket::async_test]
async fn a_delayed_message_is_received_after_its_delay_and_not_before() {
    let (app, _redis) = start();
    let pushed = Instant::now();
    push_with(&app, "?delay=1", r#"["later", "later too"]"#).await;
    push(&app, "now").await;
    assert_eq!(numbers(&app).await, [1, 2, 0, 0]);
    assert_eq!(texts(&app, "?max=10").await, ["now"]);
    assert_eq!(texts(&app, "?max=10&wait=10").await, ["later", "later too"]);
    assert_elapsed(pushed, 1.0);
}

#[rocket::async_test]
async fn a_batch_is_queued_atomically() {
    let (app, _redis) = start();
    let receiving = receive(&app, "?max=100&wait=10");
    let batch = format!("[{}]", vec!["1"; 100].join(","));
    let (received, _) = rocket::futures::future::join(receiving, push(&app, &batch)).await;
    assert_eq!(received.len(), 100);
}
