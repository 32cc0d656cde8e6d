//! The words of metrics and alerts are the same in the source, in monitoring/ and in docs/.

use std::collections::BTreeSet;

use super::metrics::METRICS;

const ALERTS: &str = include_str!("../../monitoring/alerts.yml");
const ALERT_TESTS: &str = include_str!("../../monitoring/alerts.test.yml");
const DASHBOARD: &str = include_str!("../../monitoring/grafana/dashboards/order-api.json");
const METRICS_PAGE: &str = include_str!("../../docs/METRICS.md");
const OPERATIONS_PAGE: &str = include_str!("../../docs/OPERATIONS.md");

/// The count of requests is rocket_prometheus's own.
const NOT_OURS: &str = "rocket_http_requests_total";

/// Every quoted name in metrics.rs.
fn declared() -> BTreeSet<&'static str> {
    include_str!("metrics.rs").split('"').filter(is_metric).collect()
}

fn is_metric(word: &&str) -> bool {
    ["order_api_", "rocket_http_"]
        .iter()
        .any(|prefix| word.starts_with(prefix) && word != prefix)
}

fn documented() -> BTreeSet<&'static str> {
    let rows = METRICS_PAGE.lines();
    rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next())
        .collect()
}

/// The names of metrics in a text.
fn named(text: &'static str) -> BTreeSet<&'static str> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    words.filter(is_metric).collect()
}

/// Of alerts.yml.
fn alerts() -> BTreeSet<&'static str> {
    let lines = ALERTS.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix("- alert: ")).collect()
}

/// The headings of the chapter about alerts.
fn explained() -> BTreeSet<&'static str> {
    let chapter = OPERATIONS_PAGE
        .split("\n## ")
        .find(|chapter| chapter.starts_with("Alerts\n"));
    let lines = chapter.unwrap().lines();
    lines.filter_map(|line| line.strip_prefix("### ")).collect()
}

#[test]
fn every_metric_is_declared_well_and_documented() {
    assert!(!METRICS.registry.gather().is_empty());
    let mut documented = documented();
    assert!(documented.remove(NOT_OURS));
    assert!(declared().len() > 20);
    assert_eq!(declared(), documented);
}

#[test]
fn alerts_and_panels_ask_for_metrics_that_there_are() {
    let mut known = declared();
    known.insert(NOT_OURS);
    for (place, text) in [
        ("alerts", ALERTS),
        ("tests of alerts", ALERT_TESTS),
        ("dashboard", DASHBOARD),
    ] {
        let named = named(text);
        assert!(named.len() > 5, "{place}: {named:?}");
        for name in named {
            let of_a_histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|part| name.strip_suffix(part));
            let is_there = known.contains(name) || of_a_histogram.is_some_and(|name| known.contains(name));
            assert!(is_there, "{name} in {place}");
        }
    }
}

#[test]
fn every_alert_is_explained_and_nothing_else() {
    assert!(alerts().len() > 10);
    assert_eq!(alerts(), explained());
}

#[test]
fn an_explanation_says_what_the_alert_means_and_what_to_do() {
    for entry in OPERATIONS_PAGE.split("\n### ").skip(1) {
        let (name, text) = entry.split_once('\n').unwrap();
        if alerts().contains(name) {
            for part in ["**Means:** ", "**Do:** "] {
                assert!(text.contains(part), "{name}: {part}");
            }
        }
    }
}

#[test]
fn every_alert_points_to_its_explanation_and_is_tested() {
    for rule in ALERTS.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let runbook = format!("runbook: docs/OPERATIONS.md#{}\n", name.to_lowercase());
        assert!(rule.contains(&runbook), "{name}: {runbook}");
        let raised = format!("alertname: {name}\n        exp_alerts:\n          - ");
        assert!(ALERT_TESTS.contains(&raised), "no test raises {name}");
    }
}
