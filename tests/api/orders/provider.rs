//! `POST /orders` with a distance provider that is slow, silent, or should not be asked.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use rocket::futures::future::{join, join_all};
use rocket::tokio::net::TcpListener;
use rocket::tokio::time::sleep;

use crate::support::{App, TRIP, metric, osrm_noting};

#[rocket::async_test]
async fn a_silent_provider_is_503_in_under_two_seconds_and_then_at_once() {
    let (_app, database) = App::start();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap(); // the kernel accepts, and nothing answers
    let url = format!("http://{}", silent.local_addr().unwrap());
    let osrm = App::on(&database).with("DISTANCE_PROVIDER", "osrm");
    let app = osrm.with("OSRM_URL", &url).start();
    let asked = Instant::now();
    for answer in join_all((0..10).map(|_| app.post("/orders", TRIP))).await {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    let asked = Instant::now();
    let mut fastest = Duration::MAX;
    while asked.elapsed() < Duration::from_millis(100) {
        let asked = Instant::now();
        let answer = app.post("/orders", TRIP).await;
        assert_eq!(answer.refusal(), (503, "distance_unavailable"));
        fastest = fastest.min(asked.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
    let open = r#"order_api_distance_lookup_duration_seconds_count{outcome="circuit_open",provider="osrm"}"#;
    assert!(metric(&app, open).await > 0);
    assert_eq!(database.orders(), 0);
}

const FULL: &str = r#"order_api_lane_refusals_total{lane="place",reason="full"}"#;

#[rocket::async_test]
async fn the_provider_is_not_asked_for_an_order_that_a_full_lane_refuses() {
    let (_app, database) = App::start();
    let (url, asked) = osrm_noting("200 OK", r#"{"code": "Ok", "routes": [{"distance": 1}]}"#).await;
    let app = App::on(&database)
        .with("DISTANCE_PROVIDER", "osrm")
        .with("OSRM_URL", &url)
        .with("DISTANCE_CONCURRENCY", "200")
        .with("DISTANCE_TIMEOUT_MS", "20000")
        .with("DATABASE_STATEMENT_TIMEOUT_MS", "15000")
        .start();
    let mut psql = database.connect();
    psql.batch_execute("BEGIN; LOCK TABLE orders").unwrap();
    let many = join_all((0..1500).map(|_| app.post("/orders", TRIP)));
    let elsewhere = TRIP.replace("50.456399", "51.000001");
    let then = async {
        let began = Instant::now();
        while metric(&app, FULL).await == 0 {
            assert!(
                began.elapsed() < Duration::from_secs(14),
                "the lane is never full"
            );
            sleep(Duration::from_millis(20)).await;
        }
        for refused in join_all((0..50).map(|_| app.post("/orders", elsewhere.clone()))).await {
            assert_eq!(refused.refusal(), (503, "overloaded"));
        }
        psql.batch_execute("ROLLBACK").unwrap();
    };
    join(many, then).await;
    let asked = asked.lock().unwrap();
    assert!(!asked.iter().any(|line| line.contains("51.000001")));
    assert!(asked.len() > 1024);
}
