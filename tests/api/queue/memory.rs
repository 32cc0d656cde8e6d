//! Large messages, and memory that is full: the service's, and Redis'.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;
use rocket::futures::future::join_all;
use rocket::tokio::time::sleep;
use serde_json::json;

use super::hangup::{Clients, until};
use crate::support::{Answer, App, Database, Redis, TOKEN, metric};

const MESSAGES: usize = 300;
const CLIENTS: usize = 256;
/// What a container of the service has.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Until all have come, on a slow machine.
const LONGEST: Duration = Duration::from_secs(120);
const MEBIBYTE: usize = 1024 * 1024;

fn start() -> (Arc<App>, Redis) {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    (Arc::new(app), redis)
}

/// A text of this many bytes that begins with a number.
fn numbered(number: usize, bytes: usize) -> String {
    let number = format!("{number} ");
    let rest = "x".repeat(bytes - number.len());
    number + &rest
}

fn number(message: &str) -> usize {
    message.split_once(' ').unwrap().0.parse().unwrap()
}

fn length(redis: &Redis) -> usize {
    redis.connect().llen("message_queue").unwrap()
}

/// Asks with all clients at once, and brings what came; what is refused brings nothing.
async fn ask_all(app: &App, path: &str, texts: fn(&Answer) -> Vec<usize>) -> Vec<usize> {
    let asking = (0..CLIENTS).map(|_| app.authorized(Method::POST, path, ""));
    let answers = join_all(asking).await;
    let came = answers.iter().flat_map(|answer| match answer.status {
        200 => texts(answer),
        status => {
            assert_eq!(status, 503, "{answer:?}");
            Vec::new()
        }
    });
    came.collect()
}

#[rocket::async_test]
async fn many_who_pop_large_messages_at_once_cost_little_memory_and_no_message() {
    let (app, redis) = start();
    for number in 0..MESSAGES {
        let message = numbered(number, MEBIBYTE);
        let _: () = redis.connect().rpush("message_queue", message).unwrap();
    }
    let text = |answer: &Answer| answer.body["message"].as_str().map(number).into_iter().collect();
    let (mut popped, began) = (Vec::new(), Instant::now());
    while popped.len() < MESSAGES {
        assert!(began.elapsed() < LONGEST, "{} have come", popped.len());
        popped.extend(ask_all(&app, "/api/queue/pop", text).await);
    }
    popped.sort_unstable();
    assert!(popped.into_iter().eq(0..MESSAGES));
    assert_eq!(length(&redis), 0);
    assert!(app.peak_memory() < MEMORY, "{}", app.peak_memory());
}

/// As a push would have left it.
fn push(redis: &Redis, id: usize, message: &str) {
    let key = |part: &str| format!("queue:{{large}}:{part}");
    let mut push = redis::pipe();
    push.hset(key("messages"), id, message).ignore();
    push.zadd(key("ready"), id, id).ignore();
    push.set(key("sequence"), id).ignore();
    let _: () = push.query(&mut redis.connect()).unwrap();
}

#[rocket::async_test]
async fn many_who_receive_large_messages_at_once_cost_little_memory_and_no_message() {
    let (app, redis) = start();
    for number in 0..MESSAGES {
        push(&redis, 1_000_000 + number, &numbered(number, MEBIBYTE));
    }
    let texts = |answer: &Answer| {
        let messages = answer.body["messages"].as_array().unwrap();
        let texts = messages
            .iter()
            .map(|message| message["message"].as_str().unwrap());
        texts.map(number).collect()
    };
    let path = "/api/queues/large/messages/receive?max=100&visibility=43200";
    let (mut received, began) = (Vec::new(), Instant::now());
    let numbers = loop {
        let numbers = app.authorized(Method::GET, "/api/queues/large", "").await;
        if numbers.body["ready"] == 0 {
            break numbers;
        }
        assert!(began.elapsed() < LONGEST, "{numbers:?}");
        received.extend(ask_all(&app, path, texts).await);
    };
    // What Redis handed out too late to be answered would come back when its visibility is over.
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
async fn large_pushes_that_wait_together_for_a_redis_that_is_away_do_not_wait_one_after_the_other() {
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
    // Of which some are for sending 12 MiB; a wait of 0.8 s for each would be 9.6 s.
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

fn messages(redis: &Redis) -> Vec<usize> {
    let messages: Vec<String> = redis.connect().lrange("message_queue", 0, -1).unwrap();
    messages.iter().map(|message| number(message)).collect()
}

/// Pops in the name of clients that have left by the time at which Redis hands out the messages.
fn pop_and_leave(app: &App, redis: &Redis, clients: usize) {
    let mut control = redis.connect();
    // Longer than any test: it is ended here.
    let mut pause = redis::cmd("CLIENT");
    let _: () = pause
        .arg("PAUSE")
        .arg(60_000)
        .arg("WRITE")
        .query(&mut control)
        .unwrap();
    let head = format!("POST /api/queue/pop HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\n");
    let leaving = Clients::ask(&app.address, &format!("{head}Content-Length: 0\r\n\r\n"), clients);
    leaving.until_read();
    until("Redis holds a pop back", || {
        let state: String = redis::cmd("INFO").arg("clients").query(&mut control).unwrap();
        state.contains("blocked_clients:1\r\n")
    });
    leaving.leave();
    let _: () = redis::cmd("CLIENT").arg("UNPAUSE").query(&mut control).unwrap();
}

/// Pops that Redis was asked for, and those that waited too long to be, as they may on a machine that is busy.
async fn popped_and_refused(app: &App) -> (usize, usize) {
    (
        metric(app, r#"order_api_lane_batch_items_sum{lane="pop"}"#).await,
        metric(app, r#"order_api_lane_refusals_total{lane="pop",reason="late"}"#).await,
    )
}

#[rocket::async_test]
async fn messages_popped_for_clients_that_have_left_are_at_the_head_again_in_their_order() {
    let (app, redis) = start();
    for number in 0..100 {
        let _: () = redis
            .connect()
            .rpush("message_queue", numbered(number, 10))
            .unwrap();
    }
    pop_and_leave(&app, &redis, 60);
    let began = Instant::now();
    loop {
        let (popped, refused) = popped_and_refused(&app).await;
        if popped + refused == 60 && length(&redis) == 100 {
            assert!(popped > 1, "no order is lost where one alone comes back");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{popped} {refused}");
        sleep(Duration::from_millis(10)).await;
    }
    assert!(messages(&redis).into_iter().eq(0..100));
}

#[rocket::async_test]
async fn messages_popped_for_clients_that_have_left_are_back_before_the_service_ends() {
    let (app, redis) = start();
    for number in 0..100 {
        let _: () = redis
            .connect()
            .rpush("message_queue", numbered(number, 10))
            .unwrap();
    }
    pop_and_leave(&app, &redis, 60);
    app.terminate();
    let app = Arc::into_inner(app).unwrap();
    assert!(!app.stop().is_empty());
    assert!(messages(&redis).into_iter().eq(0..100));
}

#[test]
fn messages_that_are_put_back_again_are_there_once() {
    let redis = Redis::start();
    let script = redis::Script::new(include_str!("../../../src/queue/scripts/put_back.lua"));
    for _ in 0..3 {
        let mut call = script.prepare_invoke();
        call.key("message_queue")
            .key("queue:back:{message_queue}:1")
            .arg(60);
        let _: () = call.arg("1 b").arg("0 a").invoke(&mut redis.connect()).unwrap();
    }
    assert_eq!(messages(&redis), [0, 1]);
}

#[rocket::async_test]
async fn messages_are_put_back_once_though_no_replica_has_them() {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url);
    let app = Arc::new(app.with("REDIS_WAIT_REPLICAS", "1").start());
    for number in 0..10 {
        let message = numbered(number, 10);
        let _: () = redis.connect().rpush("message_queue", message).unwrap();
    }
    pop_and_leave(&app, &redis, 10);
    // At its end the service waits until they are back.
    app.terminate();
    assert!(!Arc::into_inner(app).unwrap().stop().is_empty());
    assert!(messages(&redis).into_iter().eq(0..10), "{:?}", messages(&redis));
}

/// Neither UTF-8 nor text.
const BYTES: &[u8] = b"\xff\xfe\x00";

#[rocket::async_test]
async fn bytes_that_others_have_put_there_go_back_as_they_were() {
    let (app, redis) = start();
    let _: () = redis.connect().rpush("message_queue", BYTES).unwrap();
    pop_and_leave(&app, &redis, 1);
    app.terminate();
    assert!(!Arc::into_inner(app).unwrap().stop().is_empty());
    let back: Vec<Vec<u8>> = redis.connect().lrange("message_queue", 0, -1).unwrap();
    assert_eq!(back, [BYTES]);
}

#[rocket::async_test]
async fn what_is_not_a_list_under_the_queues_key_is_not_called_a_redis_that_is_away() {
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
async fn messages_that_a_silent_redis_hands_out_too_late_are_back_when_it_speaks_again() {
    let (app, redis) = start();
    for number in 0..100 {
        let _: () = redis
            .connect()
            .rpush("message_queue", numbered(number, 10))
            .unwrap();
    }
    // Redis is frozen with the command in its hands, not before the connection was made.
    assert_eq!(
        app.authorized(Method::GET, "/api/queue/count", "").await.status,
        200
    );
    redis.freeze();
    for answer in join_all((0..50).map(|_| app.authorized(Method::POST, "/api/queue/pop", ""))).await {
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    redis.thaw();
    let began = Instant::now();
    while !messages(&redis).into_iter().eq(0..100) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", messages(&redis));
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        app.authorized(Method::POST, "/api/queue/pop", "").await.status,
        200
    );
}

#[rocket::async_test]
async fn with_redis_full_what_fills_it_is_507_and_the_plain_queue_can_be_drained() {
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
