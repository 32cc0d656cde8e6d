//! Large messages and full memory: that of the service, and that of Redis.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;
use rocket::futures::future::join_all;
use serde_json::json;

use super::{length, number, numbered, start};
use crate::support::{Answer, App, Redis};

const MESSAGES: usize = 300;
const CLIENTS: usize = 256;
/// The memory limit of a container of the service.
const MEMORY: u64 = 256 * 1024 * 1024;
/// The limit for all answers, on a slow machine.
const LONGEST: Duration = Duration::from_secs(120);
const MEBIBYTE: usize = 1024 * 1024;

/// The answer of an empty queue.
const NOTHING: usize = usize::MAX;

/// Sends requests of all clients at once. Returns the messages, and whether any client was told that there is none.
async fn ask_all(app: &App, path: &str, texts: fn(&Answer) -> Vec<usize>) -> (Vec<usize>, bool) {
    let asking = (0..CLIENTS).map(|_| app.authorized(Method::POST, path, ""));
    let answers = join_all(asking).await;
    let came = answers.iter().flat_map(|answer| match answer.status {
        200 => texts(answer),
        status => {
            assert_eq!(status, 503, "{answer:?}");
            Vec::new()
        }
    });
    let (nothing, came): (Vec<_>, Vec<_>) = came.partition(|number| *number == NOTHING);
    (came, !nothing.is_empty())
}

#[rocket::async_test]
async fn many_concurrent_pops_of_large_messages_need_little_memory_and_lose_none() {
    let (app, redis) = start();
    for number in 0..MESSAGES {
        let message = numbered(number, MEBIBYTE);
        let _: () = redis.connect().rpush("message_queue", message).unwrap();
    }
    let text = |answer: &Answer| vec![answer.body["message"].as_str().map_or(NOTHING, number)];
    let (mut popped, began) = (Vec::new(), Instant::now());
    while popped.len() < MESSAGES {
        assert!(began.elapsed() < LONGEST, "{} have come", popped.len());
        let (came, nothing) = ask_all(&app, "/api/queue/pop", text).await;
        popped.extend(came);
        assert!(!nothing || popped.len() == MESSAGES, "{} of them", popped.len());
    }
    popped.sort_unstable();
    assert!(popped.into_iter().eq(0..MESSAGES));
    assert_eq!(length(&redis), 0);
    assert!(app.peak_memory() < MEMORY, "{}", app.peak_memory());
}

/// Equivalent to a push.
fn push(redis: &Redis, id: usize, message: &str) {
    let key = |part: &str| format!("queue:{{large}}:{part}");
    let mut push = redis::pipe();
    push.hset(key("messages"), id, message).ignore();
    push.zadd(key("ready"), id, id).ignore();
    push.set(key("sequence"), id).ignore();
    let _: () = push.query(&mut redis.connect()).unwrap();
}

#[rocket::async_test]
async fn many_concurrent_receives_of_large_messages_need_little_memory_and_lose_none() {
    let (app, redis) = start();
    for number in 0..MESSAGES {
        push(&redis, 1_000_000 + number, &numbered(number, MEBIBYTE));
    }
    let texts = |answer: &Answer| {
        let messages = answer.body["messages"].as_array().unwrap();
        let texts = messages
            .iter()
            .map(|message| message["message"].as_str().unwrap());
        let numbers: Vec<_> = texts.map(number).collect();
        if numbers.is_empty() {
            vec![NOTHING]
        } else {
            numbers
        }
    };
    let path = "/api/queues/large/messages/receive?max=100&visibility=43200";
    let (mut received, mut nothing, began) = (Vec::new(), false, Instant::now());
    let numbers = loop {
        let numbers = app.authorized(Method::GET, "/api/queues/large", "").await;
        if numbers.body["ready"] == 0 {
            break numbers;
        }
        assert!(!nothing && began.elapsed() < LONGEST, "{numbers:?}");
        let (came, none) = ask_all(&app, path, texts).await;
        received.extend(came);
        nothing = none;
    };
    // A message that Redis returned too late would be delivered again after its visibility timeout.
    assert_eq!(numbers.body["in_flight"], MESSAGES);
    let once: HashSet<_> = received.iter().collect();
    assert!(
        once.len() == received.len() && once.len() > MESSAGES / 2,
        "{}",
        once.len()
    );
    assert!(app.peak_memory() < MEMORY, "{}", app.peak_memory());
}

#[rocket::async_test]
async fn large_pushes_wait_together_for_a_redis_that_is_down() {
    let (app, redis) = start();
    redis.stop();
    let asked = Instant::now();
    let pushing =
        (0..12).map(|number| app.authorized(Method::POST, "/api/queue/push", numbered(number, MEBIBYTE)));
    for answer in join_all(pushing).await {
        let (status, code) = answer.refusal();
        assert!(
            status == 503 && ["redis_unavailable", "overloaded"].contains(&code),
            "{answer:?}"
        );
    }
    // Several of them send 12 MiB; a wait of 0.8 s for each would be 9.6 s.
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[rocket::async_test]
async fn a_value_of_another_type_at_the_queues_key_is_not_reported_as_redis_down() {
    let (app, redis) = start();
    let _: () = redis.connect().set("message_queue", "x").unwrap();
    for (method, verb) in [
        (Method::POST, "push"),
        (Method::POST, "pop"),
        (Method::GET, "count"),
    ] {
        let refused = app.authorized(method, &format!("/api/queue/{verb}"), "").await;
        assert_eq!(refused.refusal(), (500, "internal_error"), "{verb}");
    }
}

#[rocket::async_test]
async fn with_redis_full_pushes_are_507_and_the_plain_queue_can_be_drained() {
    let (app, redis) = start();
    for number in 0..3 {
        let pushed = app
            .authorized(Method::POST, "/api/queue/push", numbered(number, 10))
            .await;
        assert_eq!(pushed.status, 200);
    }
    redis.set("maxmemory", "1");
    for (path, body) in [
        ("/api/queue/push", "x"),
        ("/api/queues/mails/messages", "x"),
        ("/set", r#"{"id": "a", "data": "b"}"#),
        ("/add", r#"{"key": "a", "value": "b"}"#),
    ] {
        let refused = app.authorized(Method::POST, path, body).await;
        assert_eq!(refused.refusal(), (507, "broker_full"), "{path}");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    let unwell = app.get("/healthcheck").await;
    assert_eq!(
        (unwell.status, &unwell.body["checks"]["redis"]),
        (503, &json!("out of memory"))
    );
    let mut popped = HashSet::new();
    for _ in 0..3 {
        let answer = app.authorized(Method::POST, "/api/queue/pop", "").await;
        popped.insert(number(answer.body["message"].as_str().unwrap()));
    }
    assert_eq!(popped.len(), 3);
    redis.set("maxmemory", "0");
    assert_eq!(
        app.authorized(Method::POST, "/api/queue/push", "x").await.status,
        200
    );
    assert_eq!(app.get("/healthcheck").await.status, 200);
}
