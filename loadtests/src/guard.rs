//! Protects real orders: before anything else, the service is asked for its environment.

use reqwest::Client;
use serde::Deserialize;

/// Why a service is not put under load; the message says what to do instead.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// No service answers, or it does not speak HTTP.
    #[error(
        "No service answers at {host} ({reason}). Start one that is marked for tests: ENVIRONMENT=test make run"
    )]
    Unreachable { host: String, reason: String },
    /// It may be anything, including production.
    #[error(
        "{host} does not tell its environment (GET /livez), so no load test runs against it. \
         Start a stack that does: ENVIRONMENT=test make run"
    )]
    Silent { host: String },
    /// Regardless of options.
    #[error(
        "{host} is production: no load test ever runs against it. Start a stack of your own: \
         ENVIRONMENT=test PORT=8081 make run, and name it: HOST=http://127.0.0.1:8081"
    )]
    Production { host: String },
    /// Its data may matter to somebody.
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

/// Asks the service at `host` for its environment, and refuses one that must not be put under load.
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

/// The innermost error, which reqwest hides behind "error sending request".
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
    fn a_stack_marked_for_tests_is_put_under_load() {
        assert_eq!(sentence("test", false), None);
    }

    #[test]
    fn production_is_always_refused() {
        for yes_really in [false, true] {
            let refused = sentence("production", yes_really).unwrap();
            assert!(refused.contains("is production"), "{refused}");
        }
    }

    #[test]
    fn anything_else_requires_a_yes() {
        for environment in ["development", "staging", ""] {
            assert_eq!(sentence(environment, true), None);
            let refused = sentence(environment, false).unwrap();
            assert!(refused.contains("ENVIRONMENT=test make run"), "{refused}");
            assert!(refused.contains("YES_REALLY=1"), "{refused}");
        }
    }
}
