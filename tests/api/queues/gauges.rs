//! The metrics of all reliable queues together.

use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;

use super::{kill_all, push, push_with, receive, receive_one, start};
use crate::support::{App, Redis};

async fn gauge(app: &App, rest: &str) -> f64 {
    app.metric(&format!("order_api_reliable_queue{rest} ")).await
}

async fn messages(app: &App) -> [f64; 4] {
    let mut all = [0.0; 4];
    for (value, state) in all.iter_mut().zip(["ready", "delayed", "in_flight", "dead"]) {
        *value = gauge(app, &format!(r#"_messages{{state="{state}"}}"#)).await;
    }
    all
}

#[rocket::async_test]
async fn messages_of_all_queues_are_counted_by_state() {
    let (app, redis) = start();
    assert_eq!(messages(&app).await, [0.0; 4]);
    push(&app, "[1, 2]").await;
    kill_all(&app).await;
    push(&app, "[1, 2, 3]").await;
    push_with(&app, "?delay=100", "[4, 5, 6, 7]").await;
    receive(&app, "?max=2").await;
    let other = "/api/queues/other/messages";
    app.authorized(Method::POST, other, "[1, 2, 3, 4]").await;
    assert_eq!(messages(&app).await, [5.0, 4.0, 2.0, 2.0]);
    assert_eq!(gauge(&app, "s").await, 2.0);
    app.authorized(Method::DELETE, "/api/queues/mails", "").await;
    // The state after a crash between the name and the first message.
    let _: () = redis.connect().sadd("queues", "mails").unwrap();
    assert_eq!(messages(&app).await, [4.0, 0.0, 0.0, 0.0]);
    assert_eq!(gauge(&app, "s").await, 1.0);
}

#[rocket::async_test]
async fn the_oldest_message_of_all_queues_is_reported_while_ready() {
    let (app, _redis) = start();
    let age = async || gauge(&app, "_oldest_age_seconds").await;
    let pushed = Instant::now();
    push(&app, "old").await;
    while age().await < 0.2 {
        assert!(pushed.elapsed() < Duration::from_secs(5));
    }
    assert!(pushed.elapsed() >= Duration::from_millis(200));
    app.authorized(Method::POST, "/api/queues/young/messages", "x")
        .await;
    assert!(age().await >= 0.2);
    receive_one(&app, "").await;
    assert!(age().await < pushed.elapsed().as_secs_f64() - 0.2);
    app.authorized(Method::POST, "/api/queues/young/messages/receive", "")
        .await;
    assert_eq!(age().await, 0.0);
}

#[rocket::async_test]
async fn the_longest_in_flight_is_reported_whatever_its_visibility() {
    for visibility in [50, 100, 200] {
        let (app, _redis) = start();
        let longest = async || gauge(&app, "_longest_in_flight_seconds").await;
        push(&app, "[1, 2]").await;
        assert_eq!(longest().await, 0.0);
        let received = Instant::now();
        receive_one(&app, &format!("?visibility={visibility}")).await;
        while longest().await < 0.2 {
            assert!(received.elapsed() < Duration::from_secs(5));
        }
        receive_one(&app, "?visibility=100").await;
        let seconds = longest().await;
        assert!(
            (0.2..=received.elapsed().as_secs_f64() + 0.002).contains(&seconds),
            "{seconds}"
        );
    }
}

/// As if Redis's clock had been ahead by this much when the time was last recorded, and was then set back.
fn set_the_clock_back(redis: &Redis, seconds: u64) {
    let (now, _): (u64, u64) = redis::cmd("TIME").query(&mut redis.connect()).unwrap();
    let noted = (now + seconds) * 1_000_000;
    let _: () = redis
        .connect()
        .hset("queue:{mails}:clock", "last", noted)
        .unwrap();
}

#[rocket::async_test]
async fn a_message_due_by_the_queues_clock_is_ready_and_a_scrape_changes_nothing() {
    let (app, redis) = start();
    push(&app, "[1, 2]").await;
    push_with(&app, "?delay=200", "3").await;
    receive_one(&app, "?visibility=50").await;
    set_the_clock_back(&redis, 100);
    let written = || -> u64 { info(&redis, "rdb_changes_since_last_save") };
    let before = written();
    assert_eq!(messages(&app).await, [2.0, 1.0, 0.0, 0.0]);
    let age = gauge(&app, "_oldest_age_seconds").await;
    assert!((99.0..=110.0).contains(&age), "{age}");
    assert_eq!(gauge(&app, "_longest_in_flight_seconds").await, 0.0);
    assert_eq!(written(), before);
    let in_flight: u64 = redis.connect().zcard("queue:{mails}:in_flight").unwrap();
    assert_eq!(in_flight, 1);
}

#[rocket::async_test]
async fn the_oldest_may_be_a_due_message_of_an_idle_queue() {
    for query in ["?delay=50", ""] {
        let (app, redis) = start();
        push_with(&app, query, "x").await;
        receive(&app, "?visibility=50").await; // none, or this one
        set_the_clock_back(&redis, 100);
        assert_eq!(messages(&app).await, [1.0, 0.0, 0.0, 0.0], "{query}");
        let age = gauge(&app, "_oldest_age_seconds").await;
        assert!((99.0..=110.0).contains(&age), "{query}: {age}");
    }
}

fn info(redis: &Redis, field: &str) -> u64 {
    let all: String = redis::cmd("INFO")
        .arg("everything")
        .query(&mut redis.connect())
        .unwrap();
    let value = all
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .trim_start_matches("calls=")
        .parse()
        .unwrap()
}

#[rocket::async_test]
async fn a_message_from_the_future_has_no_age() {
    let (app, redis) = start();
    push(&app, "x").await;
    let id: u64 = redis.connect().get("queue:{mails}:sequence").unwrap();
    let later = id + 1_000_000_000;
    let _: () = redis.connect().set("queue:{mails}:sequence", later).unwrap();
    receive_one(&app, "").await;
    push(&app, "x").await;
    assert_eq!(gauge(&app, "_oldest_age_seconds").await, 0.0);
}

#[rocket::async_test]
async fn with_redis_down_silent_or_full_a_scrape_is_answered_at_once() {
    let (app, redis) = start();
    push(&app, "x").await;
    redis.set("maxmemory", "1");
    assert_eq!(messages(&app).await, [1.0, 0.0, 0.0, 0.0]);
    redis.set("maxmemory", "0");
    redis.freeze();
    nothing_is_known(&app).await;
    redis.thaw();
    let thawed = Instant::now();
    while messages(&app).await[0].is_nan() {
        assert!(thawed.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(messages(&app).await, [1.0, 0.0, 0.0, 0.0]);
    redis.stop();
    nothing_is_known(&app).await;
}

async fn nothing_is_known(app: &App) {
    let asked = Instant::now();
    let text = app.get("/metrics").await.text;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    let gauges = text
        .lines()
        .filter(|line| line.starts_with("order_api_reliable_queue"));
    let values: Vec<_> = gauges.map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(values, ["NaN"; 8]);
}

const QUEUES: usize = 3000;

/// Each has one message.
fn make_queues(redis: &Redis) {
    let mut all = redis::pipe();
    for number in 0..QUEUES {
        let key = |part: &str| format!("queue:{{q{number}}}:{part}");
        all.sadd("queues", format!("q{number}")).ignore();
        all.set(key("sequence"), 1).ignore();
        all.zadd(key("ready"), 1, 1).ignore();
    }
    let _: () = all.query(&mut redis.connect()).unwrap();
}

#[rocket::async_test]
async fn many_queues_are_counted_once_each_by_several_scrapes() {
    let (app, redis) = start();
    make_queues(&redis);
    let began = Instant::now();
    let mut scrapes = 0;
    while gauge(&app, "s").await.is_nan() {
        scrapes += 1;
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    assert!(scrapes >= 2);
    assert_eq!(gauge(&app, "s").await, QUEUES as f64);
    assert_eq!(messages(&app).await, [QUEUES as f64, 0.0, 0.0, 0.0]);
}

#[rocket::async_test]
async fn a_scrape_reads_a_bounded_number_of_names() {
    let (app, redis) = start();
    let mut all = redis::pipe();
    for number in 0..20_000 {
        all.sadd("queues", format!("NOT A QUEUE {number}")).ignore(); // cheaper than a real queue
    }
    let _: () = all.query(&mut redis.connect()).unwrap();
    gauge(&app, "s").await;
    let pages = info(&redis, "cmdstat_sscan");
    assert!((1..=32).contains(&pages), "{pages}");
}

#[rocket::async_test]
async fn no_queue_name_is_exposed() {
    let (app, _redis) = start();
    app.authorized(Method::POST, "/api/queues/zaphod/messages", "x")
        .await;
    assert_eq!(gauge(&app, "s").await, 1.0);
    assert!(!app.get("/metrics").await.text.contains("zaphod"));
}
