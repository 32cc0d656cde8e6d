//! A server behind the service goes down and recovers.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::tokio::spawn;
use rocket::tokio::time::sleep;

use crate::stack::{
    TRIP, ask, compose, containers, drain, inspect, order, place, pop, push, run, until_health, up,
};

/// Sends requests until one is answered with `200`.
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
    // One that starts meanwhile serves too, and does not end again and again.
    let app = containers("order-api-app")[0].clone();
    run("docker", &["restart", &app]);
    until_well(Method::GET, "/livez", "").await;
    let (_, refusal) = ask(Method::POST, "/orders", TRIP).await;
    assert_eq!(refusal["code"], "database_unavailable", "{refusal}");
    sleep(Duration::from_secs(3)).await;
    assert_eq!(inspect(&app)["RestartCount"], 0);
    compose(&["start", "order-api-db"]);
    until_health("order-api-app", "healthy").await;
    assert_eq!(order(id).await["status"], "UNASSIGNED");
    place().await;
}

#[rocket::async_test]
async fn without_redis_the_queue_is_503_and_orders_work() {
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
async fn a_redis_killed_under_load_loses_no_confirmed_message() {
    up(1);
    drain().await;
    let pusher = |pusher: u32| async move {
        let mut kept = Vec::new();
        for number in 0.. {
            let message = format!("{pusher} {number}");
            if push(&message).await != 200 {
                return kept;
            }
            kept.push(message);
        }
        kept
    };
    let pushers: Vec<_> = (0..8).map(|number| spawn(pusher(number))).collect();
    sleep(Duration::from_secs(2)).await;
    compose(&["kill", "order-api-redis"]);
    let mut kept = Vec::new();
    for pusher in pushers {
        kept.extend(pusher.await.unwrap());
    }
    compose(&["start", "order-api-redis"]);
    until_well(Method::GET, "/api/queue/count", "").await;

    let mut there = HashSet::new();
    while let Some(message) = pop().await.as_str() {
        there.insert(message.to_owned());
    }
    assert!(kept.len() > 10, "{}", kept.len());
    let lost: Vec<_> = kept.iter().filter(|message| !there.contains(*message)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
