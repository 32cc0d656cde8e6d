//! The words of metrics and alerts are the same in the source, in monitoring/ and in docs/.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::{env, fs};

use crate::telemetry::metrics::tests::{Declared, declared};

const ALERTS: &str = include_str!("../../monitoring/alerts.yml");
const ALERT_TESTS: &str = include_str!("../../monitoring/alerts.test.yml");
const DASHBOARD: &str = include_str!("../../monitoring/grafana/dashboards/order-api.json");
const METRICS_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/METRICS.md");
const OPERATIONS_PAGE: &str = include_str!("../../docs/OPERATIONS.md");

/// What is between them is written by a test.
const MARKS: [&str; 2] = ["<!-- make metrics-page -->\n", "<!-- end -->\n"];

fn all() -> Vec<Declared> {
    super::declare_metrics();
    declared()
}

fn is_metric(word: &str) -> bool {
    ["order_api_", "rocket_http_"]
        .iter()
        .any(|prefix| word.starts_with(prefix) && word != *prefix)
}

/// The names of metrics in a text.
fn named(text: &'static str) -> BTreeSet<&'static str> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    words.filter(|word| is_metric(word)).collect()
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

/// The table of all metrics.
fn table() -> String {
    let mut table = "| metric | type, labels | meaning |\n| --- | --- | --- |\n".to_owned();
    for Declared {
        name,
        kind,
        labels,
        help,
    } in all()
    {
        let labels: String = labels.iter().map(|label| format!(", `{label}`")).collect();
        writeln!(table, "| `{name}` | {kind}{labels} | {help} |").unwrap();
    }
    table
}

#[test]
fn the_metrics_page_is_written_from_what_is_declared() {
    let page = fs::read_to_string(METRICS_PAGE).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (_, after) = rest.split_once(MARKS[1]).unwrap();
    let [begin, end] = MARKS;
    let written = format!("{before}{begin}{}{end}{after}", table());
    if env::var_os("WRITE_PAGE").is_some() {
        fs::write(METRICS_PAGE, written).unwrap();
    } else {
        assert_eq!(page, written, "make metrics-page writes it");
    }
}

#[test]
fn metrics_are_named_as_prometheus_asks_for() {
    for Declared { name, kind, help, .. } in all() {
        assert!(is_metric(&name), "{name}");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        let has_unit = name.ends_with("_seconds") || name.ends_with("_items");
        assert!(kind != "histogram" || has_unit, "{name}");
        assert!(!help.contains('|') && !help.contains('\n'), "{name}: {help}");
    }
}

#[test]
fn every_metric_that_a_room_names_is_there_from_the_start() {
    let names: BTreeSet<String> = all().into_iter().map(|metric| metric.name).collect();
    let rooms = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let sources = rooms.filter_map(|room| fs::read_to_string(room.ok()?.path().join("metrics.rs")).ok());
    let source: String = sources.collect();
    let named: BTreeSet<String> = source
        .split('"')
        .filter(|word| is_metric(word))
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 20, "{named:?}");
    // The count of requests has its name from rocket_prometheus.
    assert_eq!(
        names.difference(&named).collect::<Vec<_>>(),
        ["rocket_http_requests_total"]
    );
    assert!(named.is_subset(&names), "{named:?}");
}

#[test]
fn alerts_and_panels_ask_for_metrics_that_there_are() {
    let known: BTreeSet<String> = all().into_iter().map(|metric| metric.name).collect();
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
