//! Requests and answers in the form that tests use.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Body, Method};
use serde_json::Value;

use super::{App, TAKE, TOKEN, TRIP};

/// Longer than any answer may take, and short enough to fail rather than hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    /// The body if it is not JSON.
    pub text: String,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and code of a refusal, to compare both at once.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status, self.code())
    }
}

pub fn new() -> reqwest::Client {
    reqwest::Client::builder().timeout(PATIENCE).build().unwrap()
}

impl App {
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let url = format!("http://{}{path}", self.address);
        self.answer(self.http.request(method, url).body(body)).await
    }

    /// With the token that the service requires.
    pub async fn authorized(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let request = self.http.request(method, url).header("Authorization", TOKEN);
        self.answer(request.body(body)).await
    }

    pub async fn answer(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Answer {
            status,
            headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::PATCH, path, body).await
    }

    /// Places an order and returns its id.
    pub async fn place(&self) -> i64 {
        let placed = self.post("/orders", TRIP).await;
        placed.body["id"]
            .as_i64()
            .unwrap_or_else(|| panic!("not placed: {placed:?}"))
    }

    /// Places orders until one succeeds, and returns how long that took; every earlier one must be refused in time.
    pub async fn until_well(&self) -> Duration {
        let began = Instant::now();
        loop {
            let asked = Instant::now();
            let placed = self.post("/orders", TRIP).await;
            if placed.status == 200 {
                return began.elapsed();
            }
            assert_eq!(placed.status, 503, "{placed:?}");
            assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        }
    }

    /// The current value of a metric, by its name and labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let metrics = self.get("/metrics").await.text;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name));
        let value = value.unwrap_or_else(|| panic!("no {name} in {metrics}"));
        value.trim().parse().unwrap()
    }

    pub async fn take(&self, id: i64) -> Answer {
        self.patch(&format!("/orders/{id}"), TAKE).await
    }
}

/// The value of a counter in `GET /metrics`, by its name and labels; 0 if it is absent.
pub async fn metric(app: &App, name: &str) -> usize {
    let metrics = app.get("/metrics").await.text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name));
    value.map_or(0, |value| value.trim().parse().unwrap())
}
