//! The answers to one operation, before, during and after the fault.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Reply;
use crate::operations::{Group, Operation};

/// How an answer is judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Good,
    /// A documented refusal: status and code.
    Refused(String),
    /// Anything else.
    Wrong(String),
}

impl Verdict {
    pub fn of(operation: &Operation, reply: &Reply) -> Self {
        if (operation.is_good)(reply) {
            return Self::Good;
        }
        let (status, code) = (reply.status, reply.code());
        let has_all = ["error", "code", "request_id"].map(|member| reply.body[member].is_string());
        let is_due = has_all == [true; 3] && reply.may_be_sent_again != reply.is_unknown();
        match (operation.route, status) {
            ("GET /healthcheck", 503) if reply.body["status"] == "failure" => {
                let down = ["postgres", "redis"].map(|name| reply.body["checks"][name] != "up");
                let word = match down {
                    [true, false] => "postgres",
                    [false, true] => "redis",
                    _ => "both",
                };
                Self::Refused(format!("503 {word}"))
            }
            ("GET /redis_health", 503) if reply.body == json!({"status": "Redis is down"}) => {
                Self::Refused("503 redis".to_owned())
            }
            // A full broker does not recover on its own, so `Retry-After` is not checked.
            (_, 507) if has_all == [true; 3] => Self::Refused(format!("507 {code}")),
            (_, 503) if is_due => Self::Refused(format!("503 {code}")),
            _ => Self::Wrong(format!("{status} {}", reply.text)),
        }
    }
}

/// One operation's share of an episode. Before the fault only its health counts.
#[derive(Debug, Clone)]
pub struct Measured {
    pub route: &'static str,
    pub group: Group,
    pub replies: BTreeMap<Verdict, usize>,
    /// Excludes the wait that the request itself asked for.
    pub slowest: Duration,
    /// The same, before the fault.
    pub slowest_before: Duration,
    /// From the end of the fault to the first good answer that was followed only by good ones.
    pub well_after: Duration,
    began: Option<Instant>,
    ended: Option<Instant>,
    bad_since: Option<Duration>,
    /// Consecutive good answers.
    pub streak: usize,
}

impl Measured {
    pub fn new(operation: &Operation) -> Self {
        Self {
            route: operation.route,
            group: operation.group,
            replies: BTreeMap::new(),
            slowest: Duration::ZERO,
            slowest_before: Duration::ZERO,
            well_after: Duration::ZERO,
            began: None,
            ended: None,
            bad_since: None,
            streak: 0,
        }
    }

    pub fn fault_begins(&mut self) {
        self.began = Some(Instant::now());
    }

    /// Recovery is judged only by requests sent from now on.
    pub fn fault_ended(&mut self, at: Instant) {
        self.ended = Some(at);
        self.streak = 0;
    }

    pub fn add(&mut self, operation: &Operation, reply: &Reply) {
        let verdict = Verdict::of(operation, reply);
        let took = reply.took().saturating_sub(operation.waits);
        let slowest = match self.began {
            Some(began) if reply.ended > began => &mut self.slowest,
            _ => &mut self.slowest_before,
        };
        *slowest = took.max(*slowest);
        let since_end = self
            .ended
            .map(|ended| reply.ended.saturating_duration_since(ended));
        if verdict != Verdict::Good {
            self.streak = 0;
            self.bad_since = since_end.filter(|since| !since.is_zero());
        } else if self.ended.is_none_or(|ended| reply.asked >= ended) {
            self.streak += 1;
            if self.bad_since.take().is_some() {
                self.well_after = since_end.unwrap_or_default();
            }
        }
        if self.began.is_some() {
            *self.replies.entry(verdict).or_default() += 1;
        }
    }

    /// Whether enough consecutive answers were good.
    pub fn is_well(&self, waits: bool) -> bool {
        self.streak >= if waits { 1 } else { 3 }
    }

    pub fn goes_on(&self) -> bool {
        self.replies.keys().all(|verdict| *verdict == Verdict::Good)
    }

    /// Distinct refusals.
    pub fn refusals(&self) -> impl Iterator<Item = &str> {
        self.replies.keys().filter_map(|verdict| match verdict {
            Verdict::Refused(how) => Some(how.as_str()),
            _ => None,
        })
    }
}
