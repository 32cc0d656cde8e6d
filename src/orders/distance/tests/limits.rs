//! Timeouts, concurrency limit and circuit breaker of a provider. OSRM stands for all providers.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use rocket::tokio::time::sleep;

use super::stand_in::{FOUND, Reply, StandIn, found, http, lookup, online, reason, trip};
use crate::config::Outbound;
use crate::orders::distance::online::Online;
use crate::orders::distance::osrm::Osrm;
use crate::orders::distance::{DistanceError, DistanceProvider};
use crate::outbound::Client;

/// The concurrency limit.
async fn lookups(provider: &impl DistanceProvider, number: usize) -> Vec<Result<i32, DistanceError>> {
    let trip = trip();
    join_all((0..number).map(|_| provider.distance(&trip))).await
}

#[rocket::async_test]
async fn a_dripping_answer_is_abandoned_in_time() {
    let stand_in = StandIn::start([Reply::Drip(http(200, FOUND))]).await;
    let osrm = online(Osrm::new(&stand_in.url("/")));
    let asked = Instant::now();
    let reason = reason(osrm.distance(&trip()).await);
    assert_eq!(reason, "no answer within 1.5s");
    assert!(
        asked.elapsed() < Duration::from_millis(1900),
        "{:?}",
        asked.elapsed()
    );
}

#[rocket::async_test]
async fn a_slow_answer_is_not_lost_to_the_second_attempt() {
    // By then the second attempt, which hangs, has begun.
    let late = Reply::Late(Duration::from_millis(800), http(200, FOUND));
    let osrm = StandIn::start([late, Reply::Silence]).await;
    assert_eq!(lookup(Osrm::new(&osrm.url("/"))).await, Ok(1886));
    assert_eq!(osrm.requests(), 2);
}

#[rocket::async_test]
async fn frozen_idle_connections_fail_no_lookup() {
    let stand_in = StandIn::start([Reply::Late(Duration::from_millis(100), http(200, FOUND))]).await;
    let osrm = online(Osrm::new(&stand_in.url("/")));
    assert!(lookups(&osrm, 20).await.iter().all(Result::is_ok));
    assert!(stand_in.connections() > 10, "{}", stand_in.connections());
    stand_in.freeze();
    let asked = Instant::now();
    let outcomes = lookups(&osrm, 20).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(
        asked.elapsed() < Duration::from_millis(1400),
        "{:?}",
        asked.elapsed()
    );
}

#[rocket::async_test]
async fn lookups_beyond_the_limit_wait_and_are_refused() {
    let limits = Outbound {
        concurrency: const { NonZeroUsize::new(4).unwrap() },
        ..Outbound::default()
    };
    let osrm = StandIn::start([Reply::Silence]).await;
    let provider = Online::new(Osrm::new(&osrm.url("/")), Client::new(&limits).unwrap());
    let asked = Instant::now();
    let outcomes = lookups(&provider, 50).await;
    assert!(
        asked.elapsed() < Duration::from_millis(1900),
        "{:?}",
        asked.elapsed()
    );
    let busy = outcomes
        .iter()
        .filter(|outcome| **outcome == Err(DistanceError::Busy));
    assert_eq!((busy.count(), osrm.requests()), (46, 8));
}

#[rocket::async_test]
async fn more_lookups_than_the_limit_are_answered_in_turn() {
    let limits = Outbound {
        concurrency: const { NonZeroUsize::new(1).unwrap() },
        ..Outbound::default()
    };
    let osrm = StandIn::start([found()]).await;
    let provider = Online::new(Osrm::new(&osrm.url("/")), Client::new(&limits).unwrap());
    let outcomes = lookups(&provider, 50).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

#[rocket::async_test]
async fn the_circuit_opens_after_failures_and_closes_soon_after_recovery() {
    for fault in [Reply::hang_up(), Reply::with(503, ""), Reply::with(429, "")] {
        let stand_in = StandIn::start([fault]).await;
        let osrm = online(Osrm::new(&stand_in.url("/")));
        for _ in 0..5 {
            reason(osrm.distance(&trip()).await);
        }
        let asked = stand_in.requests();
        for _ in 0..100 {
            assert_eq!(osrm.distance(&trip()).await, Err(DistanceError::CircuitOpen));
        }
        assert_eq!(stand_in.requests(), asked);
        stand_in.answer(found());
        let well = Instant::now();
        while osrm.distance(&trip()).await != Ok(1886) {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(well.elapsed() < Duration::from_secs(1), "{:?}", well.elapsed());
        assert_eq!(osrm.distance(&trip()).await, Ok(1886));
    }
}

#[rocket::async_test]
async fn the_circuit_opens_on_silence_and_closes_after_recovery() {
    let stand_in = StandIn::start([Reply::Silence]).await;
    let osrm = online(Osrm::new(&stand_in.url("/")));
    for _ in 0..2 {
        let asked = Instant::now();
        lookups(&osrm, 300).await;
        assert!(
            asked.elapsed() < Duration::from_millis(1900),
            "{:?}",
            asked.elapsed()
        );
    }
    assert_eq!(osrm.distance(&trip()).await, Err(DistanceError::CircuitOpen));
    stand_in.answer(found());
    let well = Instant::now();
    while osrm.distance(&trip()).await != Ok(1886) {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(well.elapsed() < Duration::from_secs(2), "{:?}", well.elapsed());
}

#[rocket::async_test]
async fn a_refusal_of_one_trip_does_not_open_the_circuit() {
    let stand_in = StandIn::start([Reply::with(400, r#"{"code": "InvalidQuery"}"#)]).await;
    let osrm = online(Osrm::new(&stand_in.url("/")));
    for _ in 0..20 {
        reason(osrm.distance(&trip()).await);
    }
    stand_in.answer(found());
    assert_eq!(osrm.distance(&trip()).await, Ok(1886));
}
