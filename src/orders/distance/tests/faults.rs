//! Failures between the service and a provider, and how often a lookup is retried. OSRM stands for all providers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rocket::tokio::net::{TcpListener, TcpSocket};

use super::stand_in::{FOUND, Reply, StandIn, found, hasty_lookup, lookup, online, reason, trip};
use crate::config::Outbound;
use crate::orders::distance::DistanceProvider;
use crate::orders::distance::online::Online;
use crate::orders::distance::osrm::Osrm;
use crate::outbound::Client;

/// Every name resolves to 127.0.0.1; a connection is attempted as often as its name is resolved.
#[derive(Clone, Default)]
struct Attempts(Arc<AtomicUsize>);

impl Resolve for Attempts {
    fn resolve(&self, _: Name) -> Resolving {
        self.0.fetch_add(1, Ordering::SeqCst);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Box::pin(async move { Ok(Box::new([address].into_iter()) as Addrs) })
    }
}

/// How often one lookup attempts a connection to this port, and the reason of the failure.
async fn attempts(scheme: &str, port: u16) -> (usize, String) {
    let attempts = Attempts::default();
    let builder = || {
        let builder = Client::builder().dns_resolver(attempts.clone());
        builder.connect_timeout(Duration::from_millis(200))
    };
    let client = Client::with(&Outbound::default(), builder).unwrap();
    let url = format!("{scheme}://osrm.test:{port}").parse().unwrap();
    let outcome = Online::new(Osrm::new(&url), client).distance(&trip()).await;
    (attempts.0.load(Ordering::SeqCst), reason(outcome))
}

#[rocket::async_test]
async fn a_refused_connection_is_attempted_twice() {
    // Bound, so that no other test gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let (attempts, reason) = attempts("http", socket.local_addr().unwrap().port()).await;
    assert!(reason.contains("Connection refused"), "{reason}");
    assert_eq!(attempts, 2);
}

#[rocket::async_test]
async fn a_connection_that_takes_too_long_to_make_is_attempted_twice() {
    // Nothing accepts here, and TLS is part of making a connection.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (attempts, reason) = attempts("https", listener.local_addr().unwrap().port()).await;
    assert!(reason.contains("timed out"), "{reason}");
    assert_eq!(attempts, 2);
}

#[rocket::async_test]
async fn a_connection_closed_without_an_answer_is_retried_once() {
    let osrm = StandIn::start([Reply::hang_up(), found()]).await;
    assert_eq!(lookup(Osrm::new(&osrm.url("/"))).await, Ok(1886));
    assert_eq!((osrm.requests(), osrm.connections()), (2, 2));
}

#[rocket::async_test]
async fn a_connection_that_keeps_closing_fails_after_two_attempts() {
    let osrm = StandIn::start([Reply::hang_up()]).await;
    reason(lookup(Osrm::new(&osrm.url("/"))).await);
    assert_eq!((osrm.requests(), osrm.connections()), (2, 2));
}

#[rocket::async_test]
async fn an_incomplete_answer_is_retried_once() {
    let half = "HTTP/1.1 200 X\r\ncontent-length: 48\r\n\r\n{\"code\": \"Ok\"";
    let osrm = StandIn::start([Reply::SendAndHangUp(half.to_owned()), found()]).await;
    assert_eq!(lookup(Osrm::new(&osrm.url("/"))).await, Ok(1886));
    assert_eq!(osrm.requests(), 2);
}

#[rocket::async_test]
async fn a_server_error_is_retried_once() {
    for status in [500, 502, 503, 504] {
        let osrm = StandIn::start([Reply::with(status, "oops"), found()]).await;
        assert_eq!(lookup(Osrm::new(&osrm.url("/"))).await, Ok(1886), "{status}");
        assert_eq!(osrm.requests(), 2);
    }
}

#[rocket::async_test]
async fn a_second_server_error_is_unavailable_whatever_its_body() {
    for body in ["oops", FOUND, r#"{"code": "NoRoute"}"#] {
        let osrm = StandIn::start([Reply::with(503, body)]).await;
        let reason = reason(lookup(Osrm::new(&osrm.url("/"))).await);
        assert!(reason.starts_with("HTTP 503 Service Unavailable"), "{reason}");
        assert_eq!(osrm.requests(), 2);
    }
}

#[rocket::async_test]
async fn a_client_error_is_not_retried() {
    for status in [400, 401, 403, 404, 429] {
        let osrm = StandIn::start([Reply::with(status, "<html>no</html>"), found()]).await;
        let reason = reason(lookup(Osrm::new(&osrm.url("/"))).await);
        assert!(reason.starts_with(&format!("HTTP {status} ")), "{reason}");
        osrm.only_request();
    }
}

#[rocket::async_test]
async fn both_attempts_share_one_deadline() {
    for replies in [vec![Reply::Silence], vec![Reply::with(503, ""), Reply::Silence]] {
        let osrm = StandIn::start(replies).await;
        let reason = reason(hasty_lookup(Osrm::new(&osrm.url("/"))).await);
        assert_eq!(reason, "no answer within 500ms");
        assert_eq!(osrm.requests(), 2);
    }
}

#[rocket::async_test]
async fn the_deadline_includes_a_stalled_body() {
    let osrm = StandIn::start([Reply::Send("HTTP/1.1 200 X\r\n\r\n{".to_owned())]).await;
    let reason = reason(hasty_lookup(Osrm::new(&osrm.url("/"))).await);
    assert_eq!(reason, "no answer within 500ms");
    assert_eq!(osrm.requests(), 2);
}

#[rocket::async_test]
async fn an_endless_answer_is_abandoned() {
    let osrm = StandIn::start([Reply::Endless]).await;
    let reason = reason(lookup(Osrm::new(&osrm.url("/"))).await);
    assert_eq!(reason, "more than 65536 bytes came");
    osrm.only_request();
}

#[rocket::async_test]
async fn a_web_page_is_not_an_answer() {
    let osrm = StandIn::start([Reply::with(200, "<!doctype html><p>Log in first")]).await;
    let reason = reason(lookup(Osrm::new(&osrm.url("/"))).await);
    let sentence = "HTTP 200 OK: the body is not the expected JSON: expected value";
    assert!(reason.starts_with(sentence), "{reason}");
}

#[rocket::async_test]
async fn a_redirect_is_not_followed() {
    let elsewhere = StandIn::start([found()]).await;
    let location = elsewhere.url("/");
    let moved = format!("HTTP/1.1 302 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let osrm = StandIn::start([Reply::Send(moved)]).await;
    let reason = reason(lookup(Osrm::new(&osrm.url("/"))).await);
    assert!(reason.starts_with("HTTP 302 Found"), "{reason}");
    assert_eq!((osrm.requests(), elsewhere.connections()), (1, 0));
}

#[rocket::async_test]
async fn connections_are_kept_for_later_lookups() {
    let stand_in = StandIn::start([found()]).await;
    let osrm = online(Osrm::new(&stand_in.url("/")));
    for _ in 0..20 {
        assert_eq!(osrm.distance(&trip()).await, Ok(1886));
    }
    // A connection returns to the pool asynchronously, so occasionally one comes too late.
    assert!(stand_in.connections() < 10, "{}", stand_in.connections());
}
