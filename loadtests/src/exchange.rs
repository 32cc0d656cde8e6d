//! One request and its answer: sent, read to the end, judged, and recorded once, under its route's template.
//!
//! Goose's own `user.request` records an answer before its body is read, under a name chosen before it was
//! sent, and 400 as a failure. Here lost races must be distinguished from won ones first, so requests are recorded
//! as Goose's "custom" requests: same tables, same charts, and the time includes the body.

use std::time::{Duration, Instant, SystemTime};

use goose::prelude::*;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::guard::innermost;

/// The pause before the next request to a service that is unreachable or overloaded.
const PAUSE: Duration = Duration::from_millis(100);

/// A request and its answer.
pub struct Exchange {
    method: Method,
    asked: SystemTime,
    took: Duration,
    /// The answer, or the reason why there is none.
    answer: Result<Answer, String>,
}

struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

/// The common members of every refusal of the service.
#[derive(Deserialize)]
pub struct Refused {
    /// The stable code.
    pub code: String,
}

impl Exchange {
    /// Sends a request to the user's host and reads the answer.
    pub async fn get(user: &GooseUser, path: &str) -> Self {
        Self::send(user, Method::GET, path, None, String::new()).await
    }

    /// Sends a request to the user's host and reads the answer.
    pub async fn post(user: &GooseUser, path: &str, token: Option<&str>, body: String) -> Self {
        Self::send(user, Method::POST, path, token, body).await
    }

    /// Sends a request to the user's host and reads the answer.
    pub async fn patch(user: &GooseUser, path: &str, body: String) -> Self {
        Self::send(user, Method::PATCH, path, None, body).await
    }

    async fn send(user: &GooseUser, method: Method, path: &str, token: Option<&str>, body: String) -> Self {
        if let Some(throttle) = user.throttle.as_ref().filter(|_| user.is_throttled) {
            let _ = throttle.send_async(true).await; // --throttle-requests
        }
        let url = format!("{}{path}", user.base_url.as_str().trim_end_matches('/'));
        let mut request = user.client.request(method.clone(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let (asked, started) = (SystemTime::now(), Instant::now());
        let answer = read(request).await.map_err(|error| innermost(&error));
        Self {
            method,
            asked,
            took: started.elapsed(),
            answer,
        }
    }

    /// The time of the request.
    pub fn asked(&self) -> SystemTime {
        self.asked
    }

    /// The status, if there is an answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().ok().map(|answer| answer.status)
    }

    /// The body of an answer with this status.
    ///
    /// # Errors
    /// The actual answer, in a few words.
    pub fn body<T: DeserializeOwned>(&self, expected: StatusCode) -> Result<T, String> {
        let answer = self.answer.as_ref().map_err(Clone::clone)?;
        if answer.status != expected {
            let refused: Option<Refused> = serde_json::from_slice(&answer.body).ok();
            let code = refused.map_or_else(|| "no code".to_owned(), |refused| refused.code);
            return Err(format!("{}: {code}", answer.status.as_u16()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("the body is not as promised: {error}"))
    }

    /// Reports to Goose: a failure if `verdict` is one. `template` is the route, with names in place of values.
    ///
    /// # Errors
    /// The run has ended.
    pub async fn record<T>(
        &self,
        user: &mut GooseUser,
        template: &str,
        verdict: &Result<T, String>,
    ) -> TransactionResult {
        let status = self.status();
        let code = status.map(|status| status.as_u16());
        let error = verdict.as_ref().err().map(String::as_str);
        let method = self.method.as_str();
        user.record_custom_request_duration(method, template, self.took, error.is_none(), code, error)
            .await?;
        if status.is_none_or(|status| status.is_server_error()) {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    Ok(Answer {
        status: response.status(),
        body: response.bytes().await?.to_vec(),
    })
}
