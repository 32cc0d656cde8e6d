//! Sends a request and reads the whole answer, within a deadline and a size limit, in at most two attempts. It does
//! not send at all if too many calls wait already, or if the circuit breaker is open.
//!
//! One deadline covers everything:
//!
//! ```text
//! 0            1/3            2/3            1
//! | a free slot | the first attempt ...........|   waits for a slot for at most a third
//!               |  1/3  | the second attempt ..|   begins when the first has failed, or was silent for a third
//! ```
//!
//! The second attempt uses a new connection: idle connections may all have died silently. The first one continues
//! meanwhile, so an answer that is merely slow is not lost. The first answer wins.

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use reqwest::{ClientBuilder, Request, RequestBuilder, StatusCode, redirect};
use rocket::futures::future::{Either, select};
use rocket::tokio::sync::{Semaphore, SemaphorePermit};
use rocket::tokio::time::{Instant, timeout, timeout_at};
use serde::de::DeserializeOwned;

use super::breaker::{Breaker, Pass};
use crate::config::Outbound;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Idle connections are closed after this time, before intermediate devices forget them.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// The interval of TCP keepalive probes on a kept connection; it is dead after three failures.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// The maximum of callers that wait for a slot.
const WAITING_MAX: usize = 1024;
/// In bytes; the answer about one route takes about a thousand.
const LARGEST_ANSWER: usize = 64 * 1024;

/// Keeps connections open between calls.
pub struct Client {
    http: reqwest::Client,
    /// Never reuses a connection.
    fresh: reqwest::Client,
    within: Duration,
    /// One permit per call in flight or waiting.
    places: Semaphore,
    /// One permit per call in flight.
    slots: Semaphore,
    breaker: Breaker,
}

/// An answer, with any status.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    body: Vec<u8>,
}

/// Why there is no answer. No reason contains an address, since a key may be part of it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent: the maximum of calls is in flight.
    #[error("too many calls are under way")]
    Busy,
    /// Nothing was sent: the circuit breaker is open.
    #[error("the circuit is open: the last calls have all failed")]
    CircuitOpen,
    /// The call failed.
    #[error("{0}")]
    Unavailable(String),
}

/// The result of one failed attempt.
enum Miss {
    Broken(reqwest::Error),
    TooLarge,
    ServerError(Answer),
}

impl Client {
    /// A client with these limits.
    ///
    /// # Errors
    /// It cannot be created (no TLS library, for example).
    pub fn new(config: &Outbound) -> Result<Self, reqwest::Error> {
        Self::with(config, Self::builder)
    }

    /// As [`Client::new`], with another kind of connections.
    pub(crate) fn with(
        config: &Outbound,
        builder: impl Fn() -> ClientBuilder,
    ) -> Result<Self, reqwest::Error> {
        let slots = config.concurrency.get();
        Ok(Self {
            http: builder().build()?,
            fresh: builder().pool_max_idle_per_host(0).build()?,
            within: config.timeout,
            places: Semaphore::new(slots + WAITING_MAX),
            slots: Semaphore::new(slots),
            breaker: Breaker::new(),
        })
    }

    /// A key must reach only the configured address: so no redirect is followed, and `no_proxy` because
    /// `HTTP_PROXY` would be read even with reqwest's `system-proxy` feature off.
    pub(crate) fn builder() -> ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(IDLE_MAX)
            .tcp_keepalive(KEEPALIVE)
            .tcp_keepalive_interval(KEEPALIVE)
            .tcp_keepalive_retries(2)
            .redirect(redirect::Policy::none())
            .no_proxy()
    }

    /// Starts building requests for [`Client::ask`].
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The answer, whatever its status.
    ///
    /// # Errors
    /// There is none within the deadline, or the call was not made.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.within;
        let request = request
            .build()
            .map_err(|error| unavailable(&error.without_url()))?;
        let _place = self.places.try_acquire().map_err(|_| Failure::Busy)?;
        let pass = self.pass()?;
        let _slot = self.slot().await?;
        if pass == Pass::Closed {
            self.pass()?; // it may have opened meanwhile
        }
        let outcome = timeout_at(deadline, self.try_twice(request)).await;
        if matches!(&outcome, Ok(Ok(answer)) if !is_overloaded(answer)) {
            self.breaker.succeeded();
        } else {
            self.breaker.failed();
        }
        match outcome {
            Ok(Ok(answer) | Err(Miss::ServerError(answer))) => Ok(answer),
            Ok(Err(Miss::Broken(error))) => Err(unavailable(&error.without_url())),
            Ok(Err(Miss::TooLarge)) => {
                let reason = format!("more than {LARGEST_ANSWER} bytes came");
                Err(Failure::Unavailable(reason))
            }
            Err(_) => Err(Failure::Unavailable(format!(
                "no answer within {:?}",
                self.within
            ))),
        }
    }

    fn pass(&self) -> Result<Pass, Failure> {
        self.breaker.pass().ok_or(Failure::CircuitOpen)
    }

    async fn slot(&self) -> Result<SemaphorePermit<'_>, Failure> {
        match timeout(self.within / 3, self.slots.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(Failure::Busy),
        }
    }

    async fn try_twice(&self, request: Request) -> Result<Answer, Miss> {
        let Some(again) = request.try_clone() else {
            return try_once(&self.http, request).await;
        };
        let mut first = pin!(try_once(&self.http, request));
        match timeout(self.within / 3, first.as_mut()).await {
            Ok(Err(Miss::Broken(_) | Miss::ServerError(_))) => try_once(&self.fresh, again).await,
            Ok(enough) => enough,
            Err(_) => match select(first, pin!(try_once(&self.fresh, again))).await {
                Either::Left((Err(_), second)) => second.await,
                Either::Right((Err(_), first)) => first.await,
                Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
            },
        }
    }
}

/// Whether the other side asks for a pause: that counts as a failure.
fn is_overloaded(answer: &Answer) -> bool {
    answer.status == StatusCode::TOO_MANY_REQUESTS
}

async fn try_once(http: &reqwest::Client, request: Request) -> Result<Answer, Miss> {
    let mut response = http.execute(request).await.map_err(Miss::Broken)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Miss::Broken)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Miss::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let answer = Answer {
        status: response.status(),
        body,
    };
    if answer.status.is_server_error() {
        return Err(Miss::ServerError(answer));
    }
    Ok(answer)
}

/// With all its causes; without its URL.
fn unavailable(error: &reqwest::Error) -> Failure {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence.push_str(": ");
        sentence.push_str(&error.to_string());
        cause = error.source();
    }
    Failure::Unavailable(sentence)
}

impl Answer {
    /// The body as the expected JSON.
    ///
    /// # Errors
    /// It is something else; the sentence says what.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body)
            .map_err(|error| format!("the body is not the expected JSON: {error}"))
    }
}
