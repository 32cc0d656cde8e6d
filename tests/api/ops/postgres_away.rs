//! PostgreSQL goes down and recovers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use rocket::futures::future::join_all;
use rocket::tokio::task::spawn_blocking;
use serde_json::json;

use crate::support::{Answer, App, Cluster, TRIP};

/// One request of each kind.
async fn every_kind(app: &App) -> [Answer; 4] {
    [
        app.post("/orders", TRIP).await,
        app.take(1).await,
        app.get("/orders/1").await,
        app.get("/orders?page=1&limit=1").await,
    ]
}

#[rocket::async_test]
async fn without_postgresql_everything_is_503_in_time_and_recovers_with_it() {
    let cluster = Cluster::start();
    let app = App::on_url(&cluster.url).start();
    app.place().await;
    cluster.stop();
    for _ in 0..2 {
        let asked = Instant::now();
        for refused in every_kind(&app).await {
            assert_eq!(refused.refusal(), (503, "database_unavailable"));
            assert_eq!(refused.header("retry-after"), Some("1"));
        }
        assert!(asked.elapsed() < Duration::from_secs(2) * 4);
        let unwell = app.get("/healthcheck").await;
        let body = json!({"status": "failure", "checks": {"postgres": "down", "redis": "up"}});
        assert_eq!((unwell.status, unwell.body), (503, body));
    }
    cluster.start_again();
    assert_eq!(every_kind(&app).await.map(|answer| answer.status), [200; 4]);
    assert_eq!(app.get("/healthcheck").await.status, 200);
}

#[rocket::async_test]
async fn a_service_started_without_postgresql_serves_once_it_is_up() {
    let cluster = Cluster::start();
    cluster.stop();
    let app = App::on_url(&cluster.url).start();
    assert_eq!(app.get("/healthcheck").await.status, 503);
    cluster.start_again();
    assert_eq!(app.post("/orders", TRIP).await.status, 200);
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Places order after order until the database is down, and returns the confirmed ids.
async fn place_until(app: &App, gone: &AtomicBool) -> Vec<i64> {
    let mut ids = Vec::new();
    while !gone.load(Ordering::SeqCst) {
        let placed = app.post("/orders", TRIP).await;
        assert!([200, 503].contains(&placed.status), "{placed:?}");
        ids.extend(placed.body["id"].as_i64());
    }
    ids
}

#[rocket::async_test]
async fn a_confirmed_order_survives_a_crash_of_postgresql() {
    let cluster = Arc::new(Cluster::start());
    let apps = [0; 3].map(|_| App::on_url(&cluster.url).start());
    let gone = AtomicBool::new(false);
    let crash = async {
        while apps[0].get("/orders/200").await.status != 200 {}
        let cluster = Arc::clone(&cluster);
        spawn_blocking(move || cluster.kill()).await.unwrap();
        gone.store(true, Ordering::SeqCst);
    };
    let placing = join_all((0..48).map(|client| place_until(&apps[client % 3], &gone)));
    let (answered, ()) = rocket::futures::future::join(placing, crash).await;
    cluster.start_again();
    let mut connection = PgConnection::establish(&cluster.url).unwrap();
    let kept: Vec<Id> = sql_query("SELECT id FROM orders").load(&mut connection).unwrap();
    let kept: std::collections::HashSet<i64> = kept.iter().map(|row| row.id).collect();
    let answered = answered.concat();
    assert!(answered.len() >= 150);
    assert!(answered.iter().all(|id| kept.contains(id)));
}
