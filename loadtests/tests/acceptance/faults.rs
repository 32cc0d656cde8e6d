//! A service that breaks its promise is caught, and the order is named.

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
fn an_order_that_two_couriers_get_is_a_failure_that_names_it() {
    let said = race(Takes::AllWon);
    // Which one is first depends on when the second courier has come.
    let named = |line: &str| line.contains(": order ") && line.ends_with(" was taken twice");
    assert!(said.lines().any(named), "{said}");
    assert!(!said.contains(" 0 double takes"), "{said}");
}

#[test]
fn an_order_that_nobody_gets_is_a_failure_that_names_it() {
    let said = race(Takes::AllLost);
    assert!(said.contains("order 1 was raced for and nobody got it"), "{said}");
    assert!(said.contains(" 0 winners, 0 double takes"), "{said}");
    assert!(said.contains("orders that nobody got"), "{said}");
}

#[test]
fn a_race_for_no_order_at_all_is_a_failure() {
    let host = start("test", Takes::Nothing);
    let words = ["race", "--host", &host, "--users", "2", "--run-time", "1"];
    let content = [
        "--report-file",
        "loadtests/reports/none.html",
        "--threshold",
        "error-rate<=100%",
    ];
    let (success, said) = run(&[&words[..], &content].concat());
    assert!(!success && said.contains("No order was raced for"), "{said}");
}

/// Runs the queue's scenario against a service that answers every push and keeps no message.
#[test]
fn a_message_that_is_lost_is_a_failure() {
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
fn thresholds_of_ones_own_do_not_let_errors_pass() {
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
