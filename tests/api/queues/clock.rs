//! Redis's clock is set back.

use redis::Commands;

use super::{defer, done, push, push_with, receive_one, start, texts};
use crate::support::Redis;

/// The last recorded time, in microseconds.
fn noted(redis: &Redis) -> Option<u64> {
    redis.connect().hget("queue:{mails}:clock", "last").unwrap()
}

#[rocket::async_test]
async fn ids_grow_and_messages_keep_their_order() {
    let (app, redis) = start();
    let first: u64 = push(&app, "first").await[0].parse().unwrap();
    // As if the first message had been pushed an hour later than the next one.
    let last = first + 3_600_000_000;
    let _: () = redis.connect().set("queue:{mails}:sequence", last).unwrap();
    let next = [last + 1, last + 2].map(|id| id.to_string());
    assert_eq!(push(&app, r#"["second", "third"]"#).await, next);
    assert_eq!(texts(&app, "?max=10").await, ["first", "second", "third"]);
}

#[rocket::async_test]
async fn every_command_that_delays_a_message_records_the_time() {
    let (app, redis) = start();
    push(&app, "ready").await;
    assert_eq!(noted(&redis), None);
    push_with(&app, "?delay=100", "delayed").await;
    let delayed = noted(&redis);
    let message = receive_one(&app, "?visibility=100").await;
    let received = noted(&redis);
    assert_eq!(defer(&app, &message, 100).await, done());
    let deferred = noted(&redis);
    assert!(delayed.is_some() && delayed < received && received < deferred);
}
