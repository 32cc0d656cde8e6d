//! A service that breaks its promise is caught, and the order is named.

use crate::run;
use crate::stand_in::{Takes, start};

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
    assert!(said.contains("order 1 was taken twice"), "{said}");
    assert!(!said.contains(" 0 double takes"), "{said}");
}

#[test]
fn an_order_that_nobody_gets_is_a_failure_that_names_it() {
    let said = race(Takes::AllLost);
    assert!(said.contains("order 1 was raced for and nobody got it"), "{said}");
    assert!(said.contains(" 0 winners, 0 double takes"), "{said}");
    assert!(said.contains("orders that nobody got"), "{said}");
}
