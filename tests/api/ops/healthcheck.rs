//! `GET /healthcheck`, `/redis_health` and `/livez`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{App, Cluster, Database, Redis, TRIP};

#[rocket::async_test]
async fn a_healthy_service_says_exactly_that() {
    let (app, _database) = App::start();
    let request = app.http.get(format!("http://{}/healthcheck", app.address));
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(text, r#"{"status":"ok"}"#);
    assert_eq!(
        app.get("/redis_health").await.body,
        json!({"status": "Redis is up"})
    );
}

#[rocket::async_test]
async fn a_live_service_reports_its_environment() {
    let (app, database) = App::start();
    let development = json!({"status": "ok", "environment": "development"});
    assert_eq!(app.get("/livez").await.body, development);
    let app = App::on(&database).with("ENVIRONMENT", "production").start();
    assert_eq!(app.get("/livez").await.body["environment"], "production");
}

/// A service with its own Redis.
fn start() -> (App, Redis) {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    (app, redis)
}

#[rocket::async_test]
async fn without_redis_the_check_names_it_in_time_and_orders_work() {
    let (app, redis) = start();
    redis.stop();
    let asked = Instant::now();
    let unwell = app.get("/healthcheck").await;
    assert!(
        asked.elapsed() < Duration::from_millis(1500),
        "{:?}",
        asked.elapsed()
    );
    let body = json!({"status": "failure", "checks": {"postgres": "up", "redis": "down"}});
    assert_eq!((unwell.status, unwell.body), (503, body));
    let down = app.get("/redis_health").await;
    assert_eq!(
        (down.status, down.body),
        (503, json!({"status": "Redis is down"}))
    );
    assert_eq!(app.get("/livez").await.status, 200);
    assert_eq!(app.post("/orders", TRIP).await.status, 200);
}

#[rocket::async_test]
async fn without_redis_the_queue_is_503_in_time_and_recovers_with_it() {
    let (app, redis) = start();
    app.authorized(Method::POST, "/api/queue/push", "kept").await;
    redis.stop();
    for (method, path, body) in [
        (Method::POST, "/api/queue/push", "x"),
        (Method::POST, "/api/queue/pop", ""),
        (Method::GET, "/api/queue/count", ""),
        (Method::POST, "/set", r#"{"id": "a", "data": "b"}"#),
        (Method::GET, "/get/a", ""),
    ] {
        let asked = Instant::now();
        let refused = app.authorized(method, path, body).await;
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{path}: {:?}",
            asked.elapsed()
        );
        assert_eq!(refused.refusal(), (503, "redis_unavailable"), "{path}");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    redis.start_again();
    let popped = app.authorized(Method::POST, "/api/queue/pop", "").await;
    assert_eq!(
        (popped.status, popped.body["message"].as_str()),
        (200, Some("kept"))
    );
    assert_eq!(app.get("/healthcheck").await.status, 200);
}

#[rocket::async_test]
async fn with_both_down_both_are_named() {
    let (cluster, redis) = (Cluster::start(), Redis::start());
    let app = App::on_url(&cluster.url).with("REDIS_URL", &redis.url).start();
    cluster.stop();
    redis.kill();
    let asked = Instant::now();
    let unwell = app.get("/healthcheck").await;
    assert!(
        asked.elapsed() < Duration::from_millis(1500),
        "{:?}",
        asked.elapsed()
    );
    let body = json!({"status": "failure", "checks": {"postgres": "down", "redis": "down"}});
    assert_eq!((unwell.status, unwell.body), (503, body));
    assert_eq!(unwell.headers["retry-after"], "1");
}
