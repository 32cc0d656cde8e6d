//! The running stack through Nginx, at `BASE_URL`, as clients see it; it may serve others at the same time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics has failed, as it should"
)]

mod nginx;
mod orders;
#[path = "../raw/mod.rs"]
mod raw;
mod redis;

use reqwest::{Client, Response};
use serde_json::Value;

const TRIP: &str = r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;

fn url(path: &str) -> String {
    let base = std::env::var("BASE_URL").expect("BASE_URL is not set: run `make test` or `make test-e2e`");
    format!("{base}{path}")
}

async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Places an order and returns its id.
async fn place(client: &Client) -> i64 {
    let placed = client.post(url("/orders")).body(TRIP).send().await.unwrap();
    assert_eq!(placed.status(), 200);
    json(placed).await["id"].as_i64().unwrap()
}

async fn take(client: &Client, id: i64) -> Response {
    let request = client.patch(url(&format!("/orders/{id}")));
    request.body(r#"{"status": "TAKEN"}"#).send().await.unwrap()
}
