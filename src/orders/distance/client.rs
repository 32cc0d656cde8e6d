//! Sends a request and brings the whole answer back: in limited time and size, tried twice at most.

use std::error::Error;
use std::time::Duration;

use reqwest::{ClientBuilder, RequestBuilder, StatusCode, redirect};
use rocket::tokio::time::timeout;
use serde::de::DeserializeOwned;

use super::DistanceError;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Bytes; what is told of one route takes about a thousand.
const LARGEST_ANSWER: usize = 64 * 1024;

/// Keeps connections open from one lookup to the next.
pub(super) struct Client {
    http: reqwest::Client,
    within: Duration,
}

/// What came back, from any status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Vec<u8>,
}

enum Failure {
    Broken(reqwest::Error),
    TooLarge,
}

impl Client {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        Self::patient_for(ANSWER_WITHIN, Self::builder())
    }

    /// A client with another patience for the lookup as a whole.
    pub(super) fn patient_for(within: Duration, builder: ClientBuilder) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: builder.build()?,
            within,
        })
    }

    /// A key must reach the configured address and no other: so no redirect is followed, and
    /// `no_proxy` because `HTTP_PROXY` would be read even with reqwest's `system-proxy` feature off.
    pub(super) fn builder() -> ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .redirect(redirect::Policy::none())
            .no_proxy()
    }

    /// Begins the requests that [`Client::ask`] sends.
    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The answer, whatever its status. A broken connection or a 5xx is tried once more, at once;
    /// the time limit is for both tries together, bodies included.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer, DistanceError> {
        let outcome = timeout(self.within, try_twice(request)).await;
        let reason = match outcome {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(Failure::Broken(error))) => with_causes(&error.without_url()),
            Ok(Err(Failure::TooLarge)) => format!("more than {LARGEST_ANSWER} bytes came"),
            Err(_) => format!("no answer within {:?}", self.within),
        };
        Err(DistanceError::Unavailable(reason))
    }
}

async fn try_twice(request: RequestBuilder) -> Result<Answer, Failure> {
    let again = request.try_clone();
    let first = try_once(request).await;
    let failed = match &first {
        Ok(answer) => answer.status.is_server_error(),
        Err(Failure::Broken(_)) => true,
        Err(Failure::TooLarge) => false,
    };
    match again {
        Some(request) if failed => try_once(request).await,
        _ => first,
    }
}

async fn try_once(request: RequestBuilder) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(Failure::Broken)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::Broken)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let status = response.status();
    Ok(Answer { status, body })
}

fn with_causes(error: &reqwest::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence.push_str(": ");
        sentence.push_str(&error.to_string());
        cause = error.source();
    }
    sentence
}

impl Answer {
    /// The body as the JSON that the provider's documentation promises.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, DistanceError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            DistanceError::Unavailable(format!("the body is not the expected JSON: {error}"))
        })
    }
}
