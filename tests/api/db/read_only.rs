//! PostgreSQL that stops accepting writes.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use order_api::db::Database as Pool;
use order_api::failure::{Backend, Failure};
use rocket::futures::future::join_all;
use serde_json::json;

use super::{pool, process_after, refused_as_read_only, within_ms};
use crate::support::{App, Cluster, Database, TRIP};

fn execute(cluster: &Cluster, statement: &str) {
    let mut connection = PgConnection::establish(&cluster.url).unwrap();
    connection
        .batch_execute("SET default_transaction_read_only = off")
        .unwrap();
    connection.batch_execute(statement).unwrap();
}

/// As after a failover behind one address: new connections are read-only, and stay so.
const DEMOTE: &str = "ALTER DATABASE order_api SET default_transaction_read_only = on;
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

#[rocket::async_test]
async fn a_read_only_server_is_named_and_left_as_soon_as_another_is_available() {
    let cluster = Cluster::start();
    let app = App::on_url(&cluster.url).start();
    let id = app.place().await;
    execute(&cluster, DEMOTE);
    for _ in 0..3 {
        let refused = app.post("/orders", TRIP).await;
        assert_eq!(refused.refusal(), (503, "database_unavailable"), "{refused:?}");
        assert_eq!(app.take(id).await.status, 503);
        assert_eq!(app.get(&format!("/orders/{id}")).await.status, 200);
        let unwell = app.get("/healthcheck").await;
        let body = json!({"status": "failure", "checks": {"postgres": "read-only", "redis": "up"}});
        assert_eq!((unwell.status, unwell.body), (503, body));
    }
    execute(
        &cluster,
        "ALTER DATABASE order_api RESET default_transaction_read_only",
    );
    let well = app.until_well().await;
    assert!(well < Duration::from_secs(1), "{well:?}");
    assert_eq!(app.take(id).await.status, 200);
    assert_eq!(app.get("/healthcheck").await.body, json!({"status": "ok"}));
}

#[rocket::async_test]
async fn a_batch_refused_by_a_read_only_server_is_not_retried() {
    let cluster = Cluster::start();
    let app = App::on_url(&cluster.url).start();
    app.place().await;
    execute(&cluster, "ALTER SYSTEM SET default_transaction_read_only = on");
    execute(&cluster, "SELECT pg_reload_conf()");
    let check = || async { app.get("/healthcheck").await.status };
    while check().await == 200 {}
    for refused in join_all((0..50).map(|_| app.post("/orders", TRIP))).await {
        assert_eq!(refused.refusal(), (503, "database_unavailable"));
    }
    let tries = cluster
        .log()
        .matches("cannot execute INSERT in a read-only transaction")
        .count();
    assert!(tries < 5, "{tries} statements for 50 orders");
    execute(&cluster, "ALTER SYSTEM RESET default_transaction_read_only");
    execute(&cluster, "SELECT pg_reload_conf()");
    let well = app.until_well().await;
    assert!(well < Duration::from_secs(1), "{well:?}");
}

/// A pool of one connection, to a read-only server.
fn read_only(database: &Database) -> Pool {
    let url = format!("{}&options=-c%20default_transaction_read_only%3Don", database.url);
    pool(&url, &[("DATABASE_POOL_SIZE", "1")])
}

fn takes_no_writes() -> Failure {
    let reason = "PostgreSQL takes no writes: it is read-only";
    Failure::Unavailable(Backend::PostgreSQL, reason.to_owned())
}

async fn process(pool: &Pool) -> i32 {
    pool.read(within_ms(5000), process_after(0.0)).await.unwrap()
}

#[rocket::async_test]
async fn reads_keep_a_read_only_connection_and_a_write_replaces_an_old_one() {
    let database = Database::empty();
    let pool = read_only(&database);
    let (first, began) = (process(&pool).await, Instant::now());
    while began.elapsed() < Duration::from_millis(300) {
        assert_eq!(process(&pool).await, first);
    }
    pool.write(within_ms(5000), |_| Ok(())).await.unwrap_err();
    assert_ne!(process(&pool).await, first);
}

#[rocket::async_test]
async fn no_write_is_sent_to_a_read_only_server() {
    let database = Database::empty();
    let pool = read_only(&database);
    let sent = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&sent);
    let work = move |_: &mut PgConnection| {
        seen.store(true, Ordering::SeqCst);
        Ok(())
    };
    let refused = pool.write(within_ms(5000), work).await;
    assert_eq!(refused, Err(takes_no_writes()));
    assert!(!sent.load(Ordering::SeqCst));
}

#[rocket::async_test]
async fn a_read_only_server_is_checked_at_most_five_times_per_second() {
    let database = Database::empty();
    let (began, pool) = (Instant::now(), read_only(&database));
    let mut processes = HashSet::new();
    while processes.len() < 3 {
        processes.insert(process(&pool).await);
        let refused = pool.write(within_ms(5000), |_| Ok(())).await;
        assert_eq!(refused, Err(takes_no_writes()));
    }
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[rocket::async_test]
async fn one_refused_write_closes_all_connections_of_the_same_age() {
    let database = Database::empty();
    let pool = pool(&database.url, &[("DATABASE_POOL_SIZE", "4")]);
    let processes = async || {
        let all = (0..3).map(|_| pool.read(within_ms(5000), process_after(0.2)));
        let all = join_all(all).await.into_iter();
        all.map(Result::unwrap).collect::<HashSet<i32>>()
    };
    let old = processes().await;
    let refused = pool.write(within_ms(5000), refused_as_read_only).await;
    assert!(matches!(refused, Err(Failure::Unavailable(..))), "{refused:?}");
    let new = processes().await;
    assert!(old.is_disjoint(&new), "{old:?}, then {new:?}");
}
