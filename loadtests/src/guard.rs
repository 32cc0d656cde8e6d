//! Keeps load away from real orders: the service is asked what it is there for before anything else.

use reqwest::Client;
use serde::Deserialize;

/// Why a service is not put under load; the sentence says what to do instead.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody there, or nobody who speaks HTTP.
    #[error(
        "No service answers at {host} ({reason}). Start one that is marked for tests: ENVIRONMENT=test make run"
    )]
    Unreachable { host: String, reason: String },
    /// It may be anything, production too.
    #[error(
        "{host} does not tell its environment (GET /livez), so no load test runs against it. \
         Start a stack that does: ENVIRONMENT=test make run"
    )]
    Silent { host: String },
    /// Whatever else is said.
    #[error(
        "{host} is production: no load test ever runs against it. Start a stack of your own: \
         ENVIRONMENT=test PORT=8081 make run, and name it: HOST=http://127.0.0.1:8081"
    )]
    Production { host: String },
    /// Somebody may want to keep what is in its database.
    #[error(
        "{host} says that its environment is {environment}, not test, and a load test leaves thousands of \
         orders in its database. Start it as ENVIRONMENT=test make run, or, if its data may be spoilt, \
         say YES_REALLY=1 (--yes-really)."
    )]
    NotForTests { host: String, environment: String },
}

#[derive(Deserialize)]
struct Alive {
    environment: String,
}

/// Asks the service at `host` what it is there for, and refuses what must not be put under load.
///
/// # Errors
/// The refusal.
pub async fn admit(client: &Client, host: &str, yes_really: bool) -> Result<(), Refusal> {
    let unreachable = |error: reqwest::Error| Refusal::Unreachable {
        host: host.to_owned(),
        reason: innermost(&error),
    };
    let url = format!("{}/livez", host.trim_end_matches('/'));
    let answer = client.get(url).send().await.map_err(unreachable)?;
    let Ok(Alive { environment }) = answer.json().await else {
        return Err(Refusal::Silent {
            host: host.to_owned(),
        });
    };
    judge(host, environment, yes_really)
}

fn judge(host: &str, environment: String, yes_really: bool) -> Result<(), Refusal> {
    let host = host.to_owned();
    match environment.as_str() {
        "test" => Ok(()),
        "production" => Err(Refusal::Production { host }),
        _ if yes_really => Ok(()),
        _ => Err(Refusal::NotForTests { host, environment }),
    }
}

/// What reqwest wraps in "error sending request" says what it was.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Refusal, judge};

    fn sentence(environment: &str, yes_really: bool) -> Option<String> {
        let judged = judge("http://127.0.0.1:8080", environment.to_owned(), yes_really);
        judged.err().map(|refusal: Refusal| refusal.to_string())
    }

    #[test]
    fn what_is_marked_for_tests_is_put_under_load() {
        assert_eq!(sentence("test", false), None);
    }

    #[test]
    fn production_is_refused_whatever_is_said() {
        for yes_really in [false, true] {
            let refused = sentence("production", yes_really).unwrap();
            assert!(refused.contains("is production"), "{refused}");
        }
    }

    #[test]
    fn anything_else_takes_a_yes() {
        for environment in ["development", "staging", ""] {
            assert_eq!(sentence(environment, true), None);
            let refused = sentence(environment, false).unwrap();
            assert!(refused.contains("ENVIRONMENT=test make run"), "{refused}");
            assert!(refused.contains("YES_REALLY=1"), "{refused}");
        }
    }
}
