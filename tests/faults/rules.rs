//! What is allowed: the only place that declares a cell of the table red.

use std::time::Duration;

use crate::episode::Episode;
use crate::measured::{Measured, Verdict};
use crate::operations::{Group, Operation};
use crate::table::Dependency::{self, Postgres, Provider, Redis, Service};
use crate::table::{Fault, Row};

/// Every answer takes less than this, excluding the wait that the request itself asks for.
const SLOWEST: Duration = Duration::from_secs(2);

/// Recovery takes less than this after the end of the fault.
const WELL_AFTER: Duration = Duration::from_secs(3);

/// Every rule that this episode breaks, as a sentence.
pub fn broken(episode: &Episode) -> Vec<String> {
    let mut broken: Vec<String> = episode
        .operations
        .iter()
        .flat_map(|(operation, measured)| broken_by(episode.row, operation, measured))
        .collect();
    for route in &episode.never_well {
        broken.push(format!("{route}: no recovery within 10 s"));
    }
    if !episode.audit.lost.is_empty() {
        broken.push(format!("lost: {:?}", episode.audit.lost));
    }
    if episode.audit.taken_twice > 0 {
        broken.push(format!("taken twice: {}", episode.audit.taken_twice));
    }
    let is_noticed = episode.operations.iter().any(|(_, measured)| !measured.goes_on());
    if episode.row.1.is_noticed() && !is_noticed {
        broken.push("no request was refused: was there a fault?".to_owned());
    }
    if episode.audit.acknowledged < 100 {
        broken.push(format!(
            "only {} changes were confirmed",
            episode.audit.acknowledged
        ));
    }
    broken
}

fn broken_by(row: Row, operation: &Operation, measured: &Measured) -> Vec<String> {
    let mut broken = Vec::new();
    for (verdict, count) in &measured.replies {
        let may = match verdict {
            Verdict::Good => true,
            Verdict::Refused(how) => may_refuse(row, operation, how),
            Verdict::Wrong(_) => false,
        };
        if !may {
            broken.push(format!("{count} times {verdict:?}"));
        }
    }
    if measured.slowest >= SLOWEST {
        broken.push(format!("an answer took {:?}", measured.slowest));
    }
    if measured.well_after >= WELL_AFTER {
        broken.push(format!("recovery took {:?}", measured.well_after));
    }
    let name = |what| format!("{}: {what}", measured.route);
    broken.into_iter().map(name).collect()
}

/// Whether this status and code are documented for this fault.
fn may_refuse(row: Row, operation: &Operation, how: &str) -> bool {
    operation.needs.contains(&row.0)
        && !goes_on(row, operation)
        && match how {
            "503 outcome_unknown" => operation.changes() && row.0 != Provider,
            "503 overloaded" => true,
            "507 broker_full" => row == (Redis, Fault::OutOfMemory),
            _ => code(row.0).contains(&how),
        }
}

/// Whether this fault does not affect the operation, although it uses the dependency.
fn goes_on((dependency, fault): Row, operation: &Operation) -> bool {
    match (dependency, fault) {
        (_, Fault::ClockSetBack) => true,
        // Reads, and operations that free memory.
        (Redis, Fault::OutOfMemory) => {
            let grows = [
                "POST /api/queue/push",
                "POST /api/queues/<queue>/messages",
                "POST /set",
                "POST /add",
            ];
            operation.group != Group::Health && !grows.contains(&operation.route)
        }
        _ => false,
    }
}

fn code(dependency: Dependency) -> &'static [&'static str] {
    match dependency {
        Postgres => &["503 database_unavailable", "503 postgres"],
        Redis => &["503 redis_unavailable", "503 redis"],
        Provider => &["503 distance_unavailable"],
        Service => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use super::broken_by;
    use crate::client::Reply;
    use crate::measured::Measured;
    use crate::operations::{Operation, operations};
    use crate::table::Dependency::{Postgres, Redis};
    use crate::table::{Fault, Row};

    const AWAY: Row = (Postgres, Fault::Refuses);

    fn reply(status: u16, body: Value, seconds: u64) -> Reply {
        let asked = Instant::now();
        Reply {
            asked,
            ended: asked + Duration::from_secs(seconds),
            status,
            text: body.to_string(),
            may_be_sent_again: body["code"] != "outcome_unknown",
            body,
        }
    }

    fn refusal(code: &str) -> Reply {
        let body = json!({"error": "Try again.", "code": code, "request_id": "r"});
        reply(503, body, 0)
    }

    /// Whether this row has a red cell after one such reply during the fault.
    fn is_red(row: Row, route: &str, reply: &Reply) -> bool {
        let all = operations();
        let operation: &Operation = all.iter().find(|one| one.route == route).unwrap();
        let mut measured = Measured::new(operation);
        measured.fault_begins();
        measured.add(operation, reply);
        !broken_by(row, operation, &measured).is_empty()
    }

    #[test]
    fn a_success_and_the_documented_refusals_are_not_red() {
        assert!(!is_red(AWAY, "GET /orders/<id>", &reply(200, json!({}), 0)));
        assert!(!is_red(
            AWAY,
            "GET /orders/<id>",
            &refusal("database_unavailable")
        ));
        assert!(!is_red(AWAY, "POST /orders", &refusal("outcome_unknown")));
        assert!(!is_red(AWAY, "POST /orders", &refusal("overloaded")));
        let failure = json!({"status": "failure", "checks": {"postgres": "down", "redis": "up"}});
        assert!(!is_red(AWAY, "GET /healthcheck", &reply(503, failure, 0)));
    }

    #[test]
    fn any_other_answer_is_red() {
        let internal = json!({"error": "Oh.", "code": "internal_error", "request_id": "r"});
        assert!(is_red(AWAY, "POST /orders", &reply(500, internal, 0)));
        assert!(is_red(
            AWAY,
            "POST /orders",
            &reply(503, json!({"error": "Oh."}), 0)
        ));
        assert!(is_red(AWAY, "POST /orders", &reply(503, Value::Null, 0)));
        assert!(is_red(AWAY, "POST /orders", &reply(0, Value::Null, 0)));
        assert!(is_red(AWAY, "POST /orders", &refusal("redis_unavailable")));
        assert!(is_red(AWAY, "GET /orders/<id>", &refusal("outcome_unknown")));
        let hopeless = Reply {
            may_be_sent_again: false,
            ..refusal("database_unavailable")
        };
        assert!(is_red(AWAY, "POST /orders", &hopeless));
    }

    #[test]
    fn operations_without_the_dependency_are_unaffected() {
        assert!(is_red(AWAY, "POST /api/queue/push", &refusal("overloaded")));
        let redis = (Redis, Fault::Refuses);
        assert!(is_red(redis, "POST /orders", &refusal("database_unavailable")));
        let full = (Redis, Fault::OutOfMemory);
        let code = "redis_unavailable";
        assert!(!is_red(full, "POST /set", &refusal(code)));
        assert!(is_red(full, "POST /api/queue/pop", &refusal(code)));
    }

    #[test]
    fn a_slow_answer_is_red_whatever_it_says() {
        assert!(!is_red(AWAY, "GET /livez", &reply(200, json!({}), 1)));
        assert!(is_red(AWAY, "GET /livez", &reply(200, json!({}), 2)));
        let wait = "POST /api/queues/<queue>/messages/receive?wait=";
        assert!(!is_red(AWAY, wait, &reply(200, json!({}), 2)));
        assert!(is_red(AWAY, wait, &reply(200, json!({}), 3)));
    }
}
