//! SIGTERM.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use crate::support::{App, TAKE};

#[rocket::async_test]
async fn an_idle_service_stops_at_once() {
    let (mut app, _database) = App::start();
    app.get("/healthcheck").await; // keeps its connection open
    let asked = Instant::now();
    app.terminate();
    assert!(app.wait().success());
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[rocket::async_test]
async fn a_request_in_flight_is_answered_and_new_connections_are_refused() {
    let (_first, database) = App::start();
    let mut app = App::on(&database)
        .with("DATABASE_STATEMENT_TIMEOUT_MS", "5000")
        .start();
    let id = app.place().await;
    let mut psql = database.connect();
    psql.batch_execute("BEGIN; LOCK TABLE orders").unwrap();
    let mut connection = TcpStream::connect(&app.address).unwrap();
    let head = format!(
        "PATCH /orders/{id} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        TAKE.len()
    );
    connection.write_all(format!("{head}{TAKE}").as_bytes()).unwrap();
    while database.number("SELECT count(*) AS number FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0 {}
    app.terminate();
    until_refused(&app.address);
    psql.batch_execute("ROLLBACK").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(r#"{"status":"SUCCESS"}"#),
        "{answer}"
    );
    assert!(app.wait().success());
}

#[rocket::async_test]
async fn a_request_that_exceeds_the_grace_period_is_cut_off() {
    let (_first, database) = App::start();
    let mut app = App::on(&database).with("SHUTDOWN_GRACE_SECONDS", "3").start();
    let mut connection = TcpStream::connect(&app.address).unwrap();
    connection
        .write_all(b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        .unwrap();
    app.get("/healthcheck").await;
    let asked = Instant::now();
    app.terminate();
    assert!(app.wait().success());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

/// A connection may also fail because this machine has no port left for it.
fn until_refused(address: &str) {
    let is_refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    while !TcpStream::connect(address).is_err_and(is_refused) {}
}

#[rocket::async_test]
async fn while_draining_open_connections_are_served_once_more_and_new_ones_refused() {
    let (first, database) = App::start();
    drop(first);
    let mut app = App::on(&database).with("SHUTDOWN_DRAIN_SECONDS", "60").start();
    let mut connection = TcpStream::connect(&app.address).unwrap();
    let request = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    connection.write_all(request).unwrap();
    let mut answer = [0; 1024];
    assert!(connection.read(&mut answer).unwrap() > 0);
    app.terminate();
    until_refused(&app.address);
    connection.write_all(request).unwrap();
    let mut last = String::new();
    connection.read_to_string(&mut last).unwrap();
    assert!(last.starts_with("HTTP/1.1 200 OK"), "{last}");
    assert!(last.to_ascii_lowercase().contains("connection: close"), "{last}");
    assert!(app.wait().success()); // and not after a minute: that was the last connection
}
