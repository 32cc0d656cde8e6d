//! How connections are made, and how often that is attempted.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocket::futures::future::join_all;

use super::{pool, process_after, within_ms};
use crate::support::{App, Cluster, Database, Far, TRIP};

#[rocket::async_test]
async fn a_server_that_connects_slower_than_requests_wait_is_reached() {
    let database = Database::empty();
    // Longer than the statement timeout, too: that starts with the statement.
    let far = Far::from(&database, Duration::from_millis(200)).await;
    let pool = pool(&far.url, &[]);
    pool.read(within_ms(5000), process_after(0.0)).await.unwrap();
}

#[rocket::async_test]
async fn a_connection_is_reused() {
    let database = Database::empty();
    let pool = pool(&database.url, &[("DATABASE_POOL_SIZE", "1")]);
    let first = pool.read(within_ms(5000), process_after(0.0)).await.unwrap();
    for _ in 0..3 {
        let next = pool.read(within_ms(5000), process_after(0.0)).await;
        assert_eq!(next, Ok(first));
    }
}

/// A server that closes every connection at once, and the number of connections.
fn refusing() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tries = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&tries);
    thread::spawn(move || {
        for _ended in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let url = format!("postgresql://me@{address}/x?sslmode=disable&gssencmode=disable");
    (url, tries)
}

#[rocket::async_test]
async fn a_refusing_server_is_tried_at_most_twenty_times_per_second() {
    let (url, tries) = refusing();
    let began = Instant::now();
    let pool = pool(&url, &[]);
    let reads = (0..12).map(|_| pool.read(within_ms(1500), process_after(0.0)));
    for refused in join_all(reads).await {
        refused.unwrap_err();
    }
    let tries = u128::from(tries.load(Ordering::SeqCst));
    // Plus one per thread of r2d2 before the first has failed.
    let most = 3 + began.elapsed().as_millis().div_ceil(50);
    assert!((5..=most).contains(&tries), "{tries} of {most}");
}

#[rocket::async_test]
async fn hanging_attempts_are_bounded_and_leave_room_for_one_more_each_second() {
    let cluster = Cluster::start();
    let (proxy, url) = cluster.behind_proxy();
    proxy.silence_new(true);
    let began = Instant::now();
    let app = App::on_url(&format!("{url}?connect_timeout=60")).start();
    while began.elapsed() < Duration::from_secs(3) {
        assert_eq!(app.post("/orders", TRIP).await.status, 503);
    }
    let most = 9 + began.elapsed().as_secs();
    assert!(proxy.accepted() as u64 <= most, "{} of {most}", proxy.accepted());
    proxy.silence_new(false);
    let well = app.until_well().await;
    assert!(well < Duration::from_secs(3), "{well:?}");
}

#[rocket::async_test]
async fn a_missing_connection_is_logged_once_per_second() {
    let (url, _) = refusing();
    let began = Instant::now();
    let app = App::on_url(&url).start();
    for _ in 0..2 {
        assert_eq!(app.post("/orders", TRIP).await.status, 503);
    }
    let lines = app.stop();
    let said = |line: &&serde_json::Value| line["message"] == "no connection to PostgreSQL";
    let said = lines.iter().filter(said).count();
    let most = 1 + began.elapsed().as_secs();
    assert!((1..=most).contains(&(said as u64)), "{said} of {most}");
}
