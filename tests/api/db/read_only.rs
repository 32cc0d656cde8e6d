//! PostgreSQL that takes no writes any more.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use rocket::futures::future::join_all;
use serde_json::json;

use crate::support::{App, Cluster, TRIP};

fn execute(cluster: &Cluster, statement: &str) {
    let mut connection = PgConnection::establish(&cluster.url).unwrap();
    connection
        .batch_execute("SET default_transaction_read_only = off")
        .unwrap();
    connection.batch_execute(statement).unwrap();
}

/// As after a failover behind one address: what connects from now on can only read, and stays so.
const DEMOTE: &str = "ALTER DATABASE order_api SET default_transaction_read_only = on;
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

#[rocket::async_test]
async fn a_read_only_server_is_named_and_left_as_soon_as_another_is_there() {
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
async fn a_batch_that_met_a_read_only_server_is_not_run_again() {
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
