//! What Nginx adds to answers, and what it refuses itself.

use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::Client;
use serde_json::Value;

use crate::raw::{Framing, Sent};
use crate::{json, place, url};

#[rocket::async_test]
async fn the_client_request_id_is_returned_once() {
    let request = Client::new().get(url("/orders/abc"));
    let refused = request
        .header("X-Request-ID", "a-courier's-own")
        .send()
        .await
        .unwrap();
    let ids: Vec<_> = refused.headers().get_all("x-request-id").into_iter().collect();
    assert_eq!(ids, ["a-courier's-own"]);
    assert_eq!(json(refused).await["request_id"], "a-courier's-own");
}

#[rocket::async_test]
async fn a_request_without_an_id_gets_one_known_to_the_service() {
    let refused = reqwest::get(url("/orders/abc")).await.unwrap();
    let id = refused.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(json(refused).await["request_id"], id);
}

#[rocket::async_test]
async fn content_types_must_not_be_sniffed() {
    for path in ["/livez", "/orders?page=0&limit=1", "/nothing"] {
        let answer = reqwest::get(url(path)).await.unwrap();
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
    }
}

#[rocket::async_test]
async fn long_lists_are_compressed_for_clients_that_accept_it() {
    let client = Client::new();
    for _ in 0..30 {
        place(&client).await;
    }
    let request = client
        .get(url("/orders?page=1&limit=30"))
        .header("Accept-Encoding", "gzip");
    let list = request.send().await.unwrap();
    assert_eq!(list.headers()["content-encoding"], "gzip");
}

#[rocket::async_test]
async fn a_large_body_is_refused_in_json() {
    let request = Client::new().post(url("/orders")).body(vec![b' '; 1024 * 1024]);
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), 413);
    let id = refused.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body = json(refused).await;
    assert_eq!(body["code"], "payload_too_large");
    assert_eq!(body["request_id"], id);
}

#[rocket::async_test]
async fn an_oversized_header_is_refused_in_json() {
    let request = Client::new()
        .get(url("/healthcheck"))
        .header("X-Long", "x".repeat(20_000));
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), 431);
    assert_eq!(json(refused).await["code"], "headers_too_large");
}

#[rocket::async_test]
async fn an_oversized_path_is_refused_in_json() {
    let refused = reqwest::get(url(&format!("/{}", "x".repeat(20_000))))
        .await
        .unwrap();
    assert_eq!(refused.status(), 414);
    assert_eq!(json(refused).await["code"], "uri_too_long");
}

#[test]
fn malformed_http_is_refused_in_json() {
    let address = url("").replace("http://", "");
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /\x01 HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["code"], "bad_request");
}

#[rocket::async_test]
async fn the_services_own_refusals_pass_unchanged() {
    let refused = reqwest::get(url("/orders?page=0&limit=1")).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(json(refused).await["code"], "invalid_page");
}

/// Every route that requires a token, without one and with a body of six megabytes.
#[test]
fn without_a_token_a_large_body_is_401_in_json() {
    let address = url("").replace("http://", "");
    for (method, path) in [
        ("POST", "/api/queue/push"),
        ("POST", "/api/queue/pop"),
        ("GET", "/api/queue/count/"),
        ("POST", "/api/queues/e2e/messages"),
        ("DELETE", "/api/queues/e2e/messages/0"),
        ("POST", "/set"),
        ("POST", "/add"),
        ("GET", "/get/e2e"),
        ("GET", "/logs"),
        ("GET", "/log_file"),
    ] {
        for framing in [Framing::Length, Framing::Chunks] {
            let request = Sent {
                method,
                path,
                token: None,
                body: 6 * 1024 * 1024,
                framing,
                expects: false,
            };
            let refused = request.then_read(&address).unwrap();
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (401, "unauthorized"),
                "{path}"
            );
        }
    }
}
