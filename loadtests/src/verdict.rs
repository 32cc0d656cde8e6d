//! The result of a run: words for a person, and an exit code for a script.

use std::fmt::Write;

use goose::prelude::{GooseError, GooseMetrics};

use crate::command_line::Mode;
use crate::guard::Refusal;
use crate::ledger::Ledger;
use crate::orders::{ORDER, ORDER_LOST};
use crate::race::Tally;

/// The maximum of failures in the message; the report has all.
const ERRORS: usize = 10;

/// Why the exit code is not 0.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The chosen scenario lacks its token.
    #[error("The scenario queue needs API_TOKEN in the environment: make run has written one to .env.")]
    NoToken,
    /// Goose failed.
    #[error("{0}")]
    Goose(String),
    /// The run missed its goals.
    #[error("{0}")]
    Missed(String),
}

impl Failure {
    /// The HTTP client could not be created.
    pub fn client(error: reqwest::Error) -> Self {
        Self::Goose(error.to_string())
    }

    /// Nothing was sent, since the ledger could not be created.
    pub fn ledger(error: std::io::Error) -> Self {
        Self::Goose(format!("The ledger cannot be created: {error}"))
    }
}

/// Their `Display` hides the cause.
impl From<GooseError> for Failure {
    fn from(error: GooseError) -> Self {
        Self::Goose(match error {
            GooseError::InvalidOption {
                option,
                value,
                detail,
            } => format!("{option} cannot be {value:?}: {detail}"),
            other => format!("{other:?}"),
        })
    }
}

/// Decides between passed and failed, with the line that summarizes the race if there was one.
pub fn judge(
    ended: Result<GooseMetrics, GooseError>,
    mode: Mode,
    tally: Tally,
) -> (Option<String>, Result<(), Failure>) {
    match ended {
        Ok(_) if mode == Mode::Race && tally.orders == 0 => {
            (None, Err(Failure::Missed("No race was completed.".to_owned())))
        }
        Ok(metrics) if tally.is_clean() => (race_line(&metrics, tally), Ok(())),
        Ok(metrics) => (
            race_line(&metrics, tally),
            Err(Failure::Missed(
                "Not exactly one courier got each order.".to_owned(),
            )),
        ),
        Err(GooseError::ThresholdsFailed { failed, metrics }) => {
            let mut sentence = String::new();
            for rule in failed {
                let _ = writeln!(sentence, "Missed {}: it was {}.", rule.rule, rule.observed);
            }
            for error in metrics.errors.values().take(ERRORS) {
                let (times, name) = (error.occurrences, &error.name);
                let _ = writeln!(
                    sentence,
                    "{times} times {} {name}: {}",
                    error.method_label(),
                    error.error
                );
            }
            let more = metrics.errors.len().saturating_sub(ERRORS);
            if more > 0 {
                let _ = writeln!(sentence, "… and {more} other failures.");
            }
            let missed = Failure::Missed(sentence.trim_end().to_owned());
            (race_line(&metrics, tally), Err(missed))
        }
        Err(error) => (None, Err(error.into())),
    }
}

/// Whether every confirmed message is accounted for.
pub fn no_message_lost(lost: Result<u64, String>) -> Result<(), Failure> {
    match lost {
        Ok(0) => Ok(()),
        Ok(lost) => Err(Failure::Missed(format!(
            "{lost} messages were pushed, and neither popped nor are they in the queue."
        ))),
        Err(reason) => Err(Failure::Missed(format!(
            "It is unknown whether messages were lost: {reason}"
        ))),
    }
}

/// Whether every confirmed change is in the ledger, if there is one.
pub fn ledger_complete(ledger: &Ledger) -> Result<(), Failure> {
    if ledger.is_complete() {
        return Ok(());
    }
    Err(Failure::Missed(
        "The ledger is incomplete: it could not be written.".to_owned(),
    ))
}

/// One readable line.
fn race_line(metrics: &GooseMetrics, tally: Tally) -> Option<String> {
    if tally.orders == 0 {
        return None;
    }
    let won = percentiles(metrics, ORDER);
    let lost = percentiles(metrics, ORDER_LOST);
    Some(format!("{tally}; winning took {won}, losing {lost}"))
}

fn percentiles(metrics: &GooseMetrics, template: &str) -> String {
    let Some(request) = metrics.requests.get(&format!("PATCH {template}")) else {
        return "no time".to_owned();
    };
    let [p50, p99] = [0.5, 0.99].map(|percent| {
        let microseconds = request.raw_data.percentile_us(percent);
        format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
    });
    format!("{p50} (p50) and {p99} (p99)")
}
