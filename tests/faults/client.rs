//! Requests of the table's clients, and their answers.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::support::TOKEN;

/// An unanswered request fails after this time.
const PATIENCE: Duration = Duration::from_secs(6);

#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub body: String,
    /// Its key in the ledger: an order's id, a message, a key.
    pub about: String,
}

/// A complete answer, or none.
#[derive(Debug, Clone)]
pub struct Reply {
    pub asked: Instant,
    pub ended: Instant,
    /// 0 without an answer.
    pub status: u16,
    pub body: Value,
    /// The body, or the reason why there was no answer.
    pub text: String,
    pub may_be_sent_again: bool,
}

impl Request {
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: String::new(),
            about: String::new(),
        }
    }

    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    pub async fn send(&self, http: &reqwest::Client, address: &str) -> Reply {
        let url = format!("http://{address}{}", self.path);
        let request = http.request(self.method.clone(), url);
        let request = request.header("Authorization", TOKEN).timeout(PATIENCE);
        let asked = Instant::now();
        let answer = read(request.body(self.body.clone())).await;
        let ended = Instant::now();
        let (status, may_be_sent_again, text) =
            answer.unwrap_or_else(|error| (0, false, format!("{error:?}")));
        Reply {
            asked,
            ended,
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            may_be_sent_again,
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(u16, bool, String)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let may_be_sent_again = response.headers().contains_key("retry-after");
    Ok((status, may_be_sent_again, response.text().await?))
}

impl Reply {
    pub fn took(&self) -> Duration {
        self.ended - self.asked
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn is(&self, status: u16, code: &str) -> bool {
        self.status == status && self.code() == code
    }

    /// Whether a change may have happened although it was not confirmed.
    pub fn is_unknown(&self) -> bool {
        self.status == 0 || self.is(503, "outcome_unknown")
    }
}
