//! A Redis that answers and refuses writes, and one that is silent.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;
use rocket::tokio::time::sleep;
use serde_json::json;

use crate::support::{App, Database, Redis};

fn start(redis: &Redis) -> App {
    let database = Arc::new(Database::migrated());
    App::on(&database).with("REDIS_URL", &redis.url).start()
}

async fn push(app: &App) -> (u16, String) {
    let pushed = app.authorized(Method::POST, "/api/queue/push", "x").await;
    (pushed.status, pushed.code().to_owned())
}

async fn assert_unwell(app: &App, why: &str) {
    let began = Instant::now();
    // The useless connection is being replaced.
    loop {
        let unwell = app.get("/healthcheck").await;
        let body = json!({"status": "failure", "checks": {"postgres": "up", "redis": why}});
        if (unwell.status, &unwell.body) == (503, &body) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{unwell:?}");
    }
    let down = app.get("/redis_health").await;
    assert_eq!(
        (down.status, down.body),
        (503, json!({"status": "Redis is down"}))
    );
}

async fn assert_well_within(app: &App, limit: Duration) {
    let since = Instant::now();
    while push(app).await.0 != 200 {
        assert!(since.elapsed() < limit, "{:?}", since.elapsed());
    }
    assert!(since.elapsed() < limit, "{:?}", since.elapsed());
    assert_eq!(app.get("/healthcheck").await.status, 200);
    assert_eq!(app.get("/redis_health").await.status, 200);
}

fn replicate(redis: &Redis, of: [&str; 2]) {
    let mut replicate = redis::cmd("REPLICAOF");
    let _: () = replicate.arg(&of).query(&mut redis.connect()).unwrap();
}

#[rocket::async_test]
async fn a_primary_that_became_a_replica_is_dropped_until_it_is_a_primary_again() {
    let redis = Redis::start();
    let app = start(&redis);
    assert_eq!(push(&app).await.0, 200);
    replicate(&redis, ["127.0.0.1", "1"]);
    for _ in 0..3 {
        let asked = Instant::now();
        assert_eq!(push(&app).await, (503, "redis_unavailable".to_owned()));
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
    assert_unwell(&app, "read-only").await;
    let clients: String = redis::cmd("CLIENT")
        .arg("LIST")
        .query(&mut redis.connect())
        .unwrap();
    let kept = clients
        .lines()
        .filter(|client| client.contains("cmd=evalsha") || client.contains("cmd=rpush"));
    assert_eq!(kept.count(), 0, "{clients}");
    replicate(&redis, ["NO", "ONE"]);
    assert_well_within(&app, Duration::from_millis(1500)).await;
}

#[rocket::async_test]
async fn a_redis_whose_disk_fails_is_unhealthy_and_accepts_nothing() {
    let redis = Redis::with(&["--appendonly", "no"]);
    let app = start(&redis);
    // A directory cannot be replaced by a file.
    fs::create_dir(redis.directory().join("dump.rdb")).unwrap();
    redis.set("save", "3600 1");
    let _: () = redis.connect().set("changed", 1).unwrap();
    let _: () = redis::cmd("BGSAVE").query(&mut redis.connect()).unwrap();
    assert_unwell(&app, "cannot persist").await;
    assert_eq!(push(&app).await, (503, "redis_unavailable".to_owned()));
    fs::remove_dir(redis.directory().join("dump.rdb")).unwrap();
    let _: () = redis::cmd("SAVE").query(&mut redis.connect()).unwrap();
    assert_well_within(&app, Duration::from_millis(1500)).await;
}

#[rocket::async_test]
async fn a_redis_with_too_few_replicas_is_unhealthy_and_accepts_nothing() {
    let redis = Redis::start();
    let app = start(&redis);
    redis.set("min-replicas-to-write", "1");
    assert_unwell(&app, "too few replicas").await;
    assert_eq!(push(&app).await, (503, "redis_unavailable".to_owned()));
    redis.set("min-replicas-to-write", "0");
    assert_well_within(&app, Duration::from_millis(1500)).await;
}

#[rocket::async_test]
async fn a_silent_redis_is_503_in_time_and_recovers_soon() {
    let redis = Redis::start();
    let app = start(&redis);
    assert_eq!(push(&app).await.0, 200);
    redis.freeze();
    for (method, path, body) in [
        (Method::POST, "/api/queue/push", "x"),
        (Method::POST, "/api/queue/pop", ""),
        (Method::GET, "/api/queue/count", ""),
        (Method::POST, "/api/queues/mails/messages", "x"),
        (Method::POST, "/api/queues/mails/messages/receive", ""),
        (Method::GET, "/api/queues", ""),
        (Method::POST, "/set", r#"{"id": "a", "data": "b"}"#),
        (Method::GET, "/get/a", ""),
    ] {
        let asked = Instant::now();
        let refused = app.authorized(method, path, body).await;
        assert_eq!(refused.status, 503, "{path}");
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{path}: {:?}",
            asked.elapsed()
        );
    }
    assert_unwell(&app, "down").await;
    sleep(Duration::from_secs(3)).await; // the pauses between attempts have grown by now
    redis.thaw();
    assert_well_within(&app, Duration::from_millis(1500)).await;
}
