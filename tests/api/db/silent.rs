//! A silent PostgreSQL: open connections freeze, new ones are accepted and never answered.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use rocket::futures::future::join_all;
use rocket::tokio::task::yield_now;

use crate::support::{App, Cluster, Proxy, TRIP};

/// Well within 3 s: the statement timeout of 1 s, the grace of 0.25 s for its answer, a new connection.
const WELL_WITHIN: Duration = Duration::from_millis(1800);
/// Without a statement in flight.
const SOON: Duration = Duration::from_millis(1200);
const ABANDONED: &str = "order_api_database_connections{state=\"abandoned\"}";

#[rocket::async_test]
async fn unanswered_connection_attempts_are_not_waited_for() {
    let cluster = Cluster::start();
    let (proxy, url) = cluster.behind_proxy();
    proxy.silence_new(true);
    let app = App::on_url(&url).start();
    while proxy.accepted() < 8 {
        refused_in_time(&app).await;
    }
    proxy.silence_new(false);
    let well = app.until_well().await;
    assert!(well < SOON, "{well:?}");
}

#[rocket::async_test]
async fn frozen_idle_connections_cost_one_refusal_in_all() {
    let cluster = Cluster::start();
    let (proxy, url) = cluster.behind_proxy();
    let app = App::on_url(&url).with("DATABASE_POOL_SIZE", "4").start();
    busy(&app, &cluster, 4, || {}).await;
    proxy.freeze_open();
    let frozen = Instant::now();
    refused_in_time(&app).await;
    assert_eq!(app.post("/orders", TRIP).await.status, 200);
    assert!(frozen.elapsed() < WELL_WITHIN, "{:?}", frozen.elapsed());
    assert_eq!(app.metric(ABANDONED).await, 1.0);
}

#[rocket::async_test]
async fn an_unanswered_change_is_of_unknown_outcome_and_a_read_is_not() {
    let cluster = Cluster::start();
    let (proxy, url) = cluster.behind_proxy();
    let app = App::on_url(&url).start();
    let id = app.place().await;
    proxy.freeze_open();
    assert_eq!(app.take(id).await.refusal(), (503, "outcome_unknown"));
    app.until_well().await;
    proxy.freeze_open();
    let read = app.get(&format!("/orders/{id}")).await;
    assert_eq!(read.refusal(), (503, "database_unavailable"));
}

#[rocket::async_test]
async fn connections_frozen_at_work_are_replaced_and_close_when_they_can() {
    let cluster = Cluster::start();
    let (proxy, url) = cluster.behind_proxy();
    let app = App::on_url(&url).with("DATABASE_POOL_SIZE", "4").start();
    let frozen = Instant::now();
    busy(&app, &cluster, 4, || proxy.freeze_open()).await;
    let well = app.until_well().await;
    assert!(
        frozen.elapsed() < Duration::from_secs(3),
        "{:?}",
        frozen.elapsed()
    );
    assert!(well < SOON, "{well:?}");
    assert_eq!(app.metric(ABANDONED).await, 4.0);
    proxy.thaw();
    until_abandoned(&app, 0.0).await;
}

#[rocket::async_test]
async fn abandoned_connections_are_bounded_and_all_recover() {
    let cluster = Cluster::start();
    let (proxy, url) = cluster.behind_proxy();
    let app = App::on_url(&url)
        .with("DATABASE_POOL_SIZE", "4")
        .with("DATABASE_STATEMENT_TIMEOUT_MS", "700")
        .start();
    let most = 4.0 + 32.0;
    while app.metric(ABANDONED).await < most {
        app.until_well().await;
        busy(&app, &cluster, 4, || proxy.freeze_open()).await;
    }
    freeze_whole_pool(&app, &cluster, &proxy).await;
    for _ in 0..3 {
        refused_in_time(&app).await;
    }
    assert_eq!(app.metric(ABANDONED).await, most);
    proxy.thaw();
    let well = app.until_well().await;
    assert!(well < SOON, "{well:?}");
    until_abandoned(&app, 0.0).await;
    assert!(proxy.accepted() < 200, "{}", proxy.accepted());
}

#[rocket::async_test]
async fn a_postgresql_that_is_paused_and_resumed_is_used_at_once() {
    let cluster = Cluster::start();
    let app = App::on_url(&cluster.url).start();
    app.place().await;
    cluster.pause();
    for _ in 0..4 {
        refused_in_time(&app).await;
    }
    cluster.resume();
    let well = app.until_well().await;
    assert!(well < SOON, "{well:?}");
    until_abandoned(&app, 0.0).await;
}

async fn refused_in_time(app: &App) {
    let asked = Instant::now();
    let refused = app.post("/orders", TRIP).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

async fn until_abandoned(app: &App, number: f64) {
    let began = Instant::now();
    while app.metric(ABANDONED).await != number {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

/// Until every connection is frozen, and none is replaced any more.
async fn freeze_whole_pool(app: &App, cluster: &Cluster, proxy: &Proxy) {
    while app.post("/orders", TRIP).await.status == 200 {
        busy(app, cluster, 1, || proxy.freeze_open()).await;
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Makes requests of each kind wait for a lock, and runs this once they all do.
async fn busy(app: &App, cluster: &Cluster, number: i64, at_work: impl FnOnce()) {
    let mut connection = PgConnection::establish(&cluster.url).unwrap();
    connection
        .batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        .unwrap();
    let asked = async {
        let requests =
            ["/orders/1", "/orders?page=1&limit=1", "/orders?page=900&limit=9"].map(|path| app.get(path));
        rocket::tokio::join!(app.post("/orders", TRIP), app.take(1), join_all(requests))
    };
    let waited = async {
        let waiting =
            "SELECT count(*) AS number FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass";
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(500)
            && sql_query(waiting)
                .get_result::<Number>(&mut connection)
                .unwrap()
                .number
                < number
        {
            yield_now().await;
        }
        at_work();
        connection.batch_execute("COMMIT").unwrap();
    };
    rocket::tokio::join!(asked, waited);
}
