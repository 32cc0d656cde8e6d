//! A service that breaks its promise is detected, and the order is named.

use crate::stand_in::{Takes, start};
use crate::{loadtests, run};

fn race(takes: Takes) -> String {
    let host = start("test", takes);
    let report = "loadtests/reports/faults.html";
    let (success, said) = run(&[
        "race",
        "--host",
        &host,
        "--users",
        "4",
        "--run-time",
        "1",
        "--report-file",
        report,
    ]);
    assert!(!success, "{said}");
    said
}

#[test]
fn an_order_won_twice_is_a_failure_that_names_it() {
    let said = race(Takes::AllWon);
    // Which one comes first depends on when the second courier arrived.
    let named = |line: &str| line.contains(": order ") && line.ends_with(" was taken twice");
    assert!(said.lines().any(named), "{said}");
    assert!(!said.contains(" 0 double takes"), "{said}");
}

#[test]
fn an_order_without_a_winner_is_a_failure_that_names_it() {
    let said = race(Takes::AllLost);
    assert!(said.contains("order 1 was raced for and nobody got it"), "{said}");
    assert!(said.contains(" 0 winners, 0 double takes"), "{said}");
    assert!(said.contains("orders that nobody got"), "{said}");
}

#[test]
fn a_race_without_orders_is_a_failure() {
    let host = start("test", Takes::Nothing);
    let words = ["race", "--host", &host, "--users", "2", "--run-time", "1"];
    let content = [
        "--report-file",
        "loadtests/reports/none.html",
        "--threshold",
        "error-rate<=100%",
    ];
    let (success, said) = run(&[&words[..], &content].concat());
    assert!(!success && said.contains("No race was completed"), "{said}");
}

/// Runs the scenario queue against a service that confirms every push and keeps no message.
#[test]
fn a_lost_message_is_a_failure() {
    let host = start("test", Takes::Nothing);
    let words = [
        "headless",
        "--host",
        &host,
        "--scenarios",
        "queue",
        "--users",
        "2",
        "--run-time",
        "1",
    ];
    let report = ["--report-file", "loadtests/reports/lost.html"];
    let done = loadtests(&[&words[..], &report].concat())
        .env("API_TOKEN", "any")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success(), "{said}");
    assert!(
        said.contains("messages were pushed, and neither popped nor are they in the queue"),
        "{said}"
    );
}

#[test]
fn custom_thresholds_do_not_excuse_errors() {
    let host = start("test", Takes::Nothing);
    let words = [
        "headless",
        "--host",
        &host,
        "--scenarios",
        "customer",
        "--users",
        "2",
        "--run-time",
        "1",
    ];
    let report = [
        "--report-file",
        "loadtests/reports/own.html",
        "--threshold",
        "p99<9s",
    ];
    let (success, said) = run(&[&words[..], &report].concat());
    assert!(!success && said.contains("error-rate"), "{said}");
}
