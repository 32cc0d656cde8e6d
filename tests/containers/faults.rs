//! A server behind the service goes away and comes back.

use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::tokio::time::sleep;

use crate::stack::{TRIP, ask, compose, drain, order, place, pop, push, until_health, up};

/// Asks until it is `200`.
async fn until_well(method: Method, path: &str, sent: &str) {
    let began = Instant::now();
    while ask(method.clone(), path, sent).await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(15), "{path} stays unwell");
        sleep(Duration::from_millis(100)).await;
    }
}

#[rocket::async_test]
async fn without_postgresql_orders_are_503_and_with_it_none_is_lost() {
    up(1);
    let id = place().await;
    compose(&["stop", "order-api-db"]);
    let (status, refusal) = ask(Method::POST, "/orders", TRIP).await;
    assert_eq!(status, 503, "{refusal}");
    until_health("order-api-app", "unhealthy").await;
    compose(&["start", "order-api-db"]);
    until_health("order-api-app", "healthy").await;
    assert_eq!(order(id).await["status"], "UNASSIGNED");
    place().await;
}

#[rocket::async_test]
async fn without_redis_the_queue_is_503_and_orders_go_on() {
    up(1);
    drain().await;
    assert_eq!(push("kept").await, 200);
    compose(&["stop", "order-api-redis"]);
    assert_eq!(push("lost").await, 503);
    place().await;
    until_health("order-api-app", "unhealthy").await;
    place().await;
    compose(&["start", "order-api-redis"]);
    until_health("order-api-app", "healthy").await;
    until_well(Method::GET, "/api/queue/count", "").await;
    assert_eq!(pop().await, "kept");
}

#[rocket::async_test]
async fn a_redis_that_is_killed_loses_no_message() {
    up(1);
    drain().await;
    for message in 0..100 {
        assert_eq!(push(&message.to_string()).await, 200);
    }
    compose(&["kill", "order-api-redis"]);
    compose(&["start", "order-api-redis"]);
    until_well(Method::GET, "/api/queue/count", "").await;
    for message in 0..100 {
        assert_eq!(pop().await, message.to_string());
    }
}
