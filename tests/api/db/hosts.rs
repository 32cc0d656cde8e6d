//! Several hosts, one of which is to be used.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::select;
use diesel::sql_types::Text;
use rocket::tokio::join;
use rocket::tokio::time::timeout;

use super::{pool, process_after, refused_as_read_only, within_ms};
use crate::support::{App, Cluster, Proxy};

/// The URL of one server at these hosts.
fn behind(proxies: [&Proxy; 2]) -> String {
    let hosts = proxies.map(|proxy| proxy.address.to_string()).join(",");
    format!("postgresql://order_api@{hosts}/order_api?sslmode=disable")
}

#[rocket::async_test]
async fn the_last_reachable_host_is_tried_first() {
    let cluster = Cluster::start();
    let ((silent, _), (good, _)) = (cluster.behind_proxy(), cluster.behind_proxy());
    silent.silence_new(true);
    let pool = pool(&behind([&silent, &good]), &[("DATABASE_POOL_SIZE", "1")]);
    let process = async || pool.read(within_ms(1500), process_after(0.0)).await.unwrap();
    let mut last = process().await;
    let asked = silent.accepted();
    for _ in 0..3 {
        let refused = pool.write(within_ms(5000), refused_as_read_only).await;
        refused.unwrap_err(); // and the connection is abandoned
        let next = process().await;
        assert_ne!(next, last);
        last = next;
    }
    assert_eq!((asked, silent.accepted()), (1, 1));
}

/// A primary, and a standby that follows it.
fn two() -> (Cluster, Cluster) {
    let primary = Cluster::start();
    let standby = primary.standby();
    (primary, standby)
}

#[rocket::async_test]
async fn a_primary_left_behind_without_open_connections_is_not_used() {
    let (primary, standby) = two();
    let app = App::on_url(&Cluster::url_of(&[&primary, &standby])).start();
    app.place().await;
    primary.pause();
    assert_eq!(app.get("/orders/1").await.status, 503);
    standby.promote();
    primary.resume();
    let well = timeout(Duration::from_secs(5), app.until_well()).await;
    well.expect("no order within 5 s");
}

#[rocket::async_test]
async fn a_primary_left_behind_is_not_read_from_while_the_new_one_is_silent() {
    let (primary, standby) = two();
    let app = App::on_url(&Cluster::url_of(&[&primary, &standby])).start();
    app.place().await;
    primary.pause();
    standby.promote();
    app.until_well().await;
    let id = app.place().await;
    primary.resume();
    standby.pause();
    for _ in 0..3 {
        let refused = app.get(&format!("/orders/{id}")).await;
        assert_eq!(refused.refusal(), (503, "database_unavailable"));
    }
    standby.resume();
    app.until_well().await;
    assert_eq!(app.get(&format!("/orders/{id}")).await.status, 200);
}

/// Takes half a second, and returns the server that ran it.
fn server(connection: &mut PgConnection) -> QueryResult<String> {
    select(sql::<Text>(
        "current_setting('data_directory') FROM pg_sleep(0.5)",
    ))
    .get_result(connection)
}

/// A change that closes its own connection.
fn end(connection: &mut PgConnection) -> QueryResult<()> {
    connection.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())")
}

#[rocket::async_test]
async fn the_first_connection_to_the_new_primary_closes_those_to_the_old_one() {
    let (primary, standby) = two();
    let ((old, _), (new, _)) = (primary.behind_proxy(), standby.behind_proxy());
    let pool = pool(&behind([&old, &new]), &[("DATABASE_POOL_SIZE", "2")]);
    let first = pool.read(within_ms(5000), server).await.unwrap();
    old.silence_new(true);
    standby.promote();
    // One of two connections closes, and another takes its slot while the other one works.
    let at_work = pool.read(within_ms(5000), server);
    let (at_work, ended) = join!(at_work, pool.write(within_ms(5000), end));
    ended.unwrap_err();
    assert_eq!(at_work, Ok(first.clone()));
    let last = pool.read(within_ms(5000), server).await.unwrap();
    assert_ne!(last, first);
}
