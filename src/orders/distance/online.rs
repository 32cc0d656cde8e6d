//! Common to every remote provider: send, read, check the distance, keep the key secret.

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};

use super::{DistanceError, DistanceProvider, metres};
use crate::orders::model::Trip;
use crate::outbound::{Answer, Client, Failure};

/// Maximum characters of a reason in the log.
const LONGEST_REASON: usize = 300;

/// The specifics of one provider: its requests, and the meaning of its answers.
pub(super) trait Api: Send + Sync {
    /// The request for one trip.
    fn request(&self, http: &reqwest::Client, trip: &Trip) -> RequestBuilder;

    /// The provider's distance in metres.
    fn read(&self, answer: &Answer) -> Result<f64, DistanceError>;

    /// The secret that no reason may contain.
    fn key(&self) -> Option<&SecretString> {
        None
    }
}

/// A remote provider.
pub(super) struct Online<A> {
    api: A,
    client: Client,
}

impl<A: Api> Online<A> {
    pub(super) fn new(api: A, client: Client) -> Self {
        Self { api, client }
    }

    async fn ask(&self, trip: &Trip) -> Result<i32, DistanceError> {
        let request = self.api.request(self.client.http(), trip);
        let answer = self.client.ask(request).await.map_err(not_asked)?;
        let status = answer.status;
        match self.api.read(&answer) {
            Ok(length) if status.is_success() => metres(length),
            // Not only for success: OSRM answers this with a 400.
            Err(DistanceError::NoRoute) if !status.is_server_error() => Err(DistanceError::NoRoute),
            Ok(_) | Err(DistanceError::NoRoute) => unavailable(format!("HTTP {status}")),
            Err(DistanceError::Unavailable(reason)) => unavailable(format!("HTTP {status}: {reason}")),
            Err(error) => Err(error),
        }
    }
}

#[rocket::async_trait]
impl<A: Api> DistanceProvider for Online<A> {
    async fn distance(&self, trip: &Trip) -> Result<i32, DistanceError> {
        self.ask(trip).await.map_err(|error| match error {
            DistanceError::Unavailable(reason) => {
                DistanceError::Unavailable(for_the_log(reason, self.api.key()))
            }
            _ => error,
        })
    }
}

fn not_asked(failure: Failure) -> DistanceError {
    match failure {
        Failure::Unavailable(reason) => DistanceError::Unavailable(reason),
        Failure::CircuitOpen => DistanceError::CircuitOpen,
        Failure::Busy => DistanceError::Busy,
    }
}

fn unavailable<T>(reason: String) -> Result<T, DistanceError> {
    Err(DistanceError::Unavailable(reason))
}

/// Parts of it are the provider's own words, which may repeat the request. The key is removed
/// first: truncating first could leave most of it.
fn for_the_log(reason: String, key: Option<&SecretString>) -> String {
    let told = match key {
        Some(key) => reason.replace(key.expose_secret(), "(the key)"),
        None => reason,
    };
    told.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_REASON)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_REASON, for_the_log};

    #[test]
    fn a_reason_is_one_short_line_without_the_key() {
        let key = "hunter2".into();
        let line = for_the_log("wrong:\nhunter2\r\n".to_owned(), Some(&key));
        assert_eq!(line, "wrong: (the key)  ");
        let cut_in_the_key = format!("{}hunter2", "é".repeat(LONGEST_REASON - 3));
        let line = for_the_log(cut_in_the_key, Some(&key));
        assert_eq!(line.chars().count(), LONGEST_REASON);
        assert!(!line.contains("hun"), "{line}");
    }
}
