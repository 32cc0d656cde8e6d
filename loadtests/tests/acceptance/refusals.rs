//! Stacks that are refused, and access to the page.

use crate::run;
use crate::stand_in::{Takes, start};

/// The message of a race against a stack of this environment; it must fail before it races.
fn refusal(environment: &'static str, words: &[&str]) -> String {
    let host = start(environment, Takes::AllWon);
    let (success, said) = run(&[&["race", "--host", &host, "--run-time", "1"], words].concat());
    assert!(!success, "{said}");
    assert!(!said.contains("raced for"), "{said}");
    said
}

#[test]
fn production_is_never_put_under_load() {
    assert!(refusal("production", &[]).contains("is production"));
    assert!(refusal("production", &["--yes-really"]).contains("is production"));
}

#[test]
fn a_stack_not_marked_for_tests_is_refused_with_what_to_do() {
    let said = refusal("development", &[]);
    assert!(
        said.contains("its environment is development, not test"),
        "{said}"
    );
    assert!(said.contains("ENVIRONMENT=test make run"), "{said}");
}

#[test]
fn a_service_without_an_environment_is_refused() {
    assert!(refusal("", &["--yes-really"]).contains("does not tell its environment"));
}

#[test]
fn with_yes_really_a_developers_own_stack_is_put_under_load() {
    let host = start("development", Takes::AllLost);
    let (_, said) = run(&["race", "--host", &host, "--run-time", "1", "--yes-really"]);
    assert!(said.contains("raced for"), "{said}");
}

#[test]
fn without_a_service_it_says_how_to_start_one() {
    let (success, said) = run(&["race", "--host", "http://127.0.0.1:1"]);
    assert!(!success);
    assert!(
        said.contains("No service answers at http://127.0.0.1:1"),
        "{said}"
    );
    assert!(said.contains("ENVIRONMENT=test make run"), "{said}");
}

#[test]
fn others_reach_the_page_only_with_a_token() {
    let host = start("test", Takes::AllWon);
    let words = [
        "dashboard",
        "--host",
        &host,
        "--dashboard-host",
        "0.0.0.0",
        "--dashboard-port",
        "0",
    ];
    let (success, said) = run(&words);
    assert!(!success);
    assert!(said.contains("token"), "{said}");
}

#[test]
fn the_queue_needs_its_token() {
    let host = start("test", Takes::AllWon);
    let (success, said) = run(&["headless", "--host", &host, "--scenarios", "queue"]);
    assert!(!success);
    assert!(said.contains("API_TOKEN"), "{said}");
}

#[test]
fn a_redirect_does_not_bypass_the_guard() {
    let production = start("production", Takes::AllLost);
    let host = start("test", Takes::Elsewhere(production.leak()));
    let (success, said) = run(&["race", "--host", &host, "--run-time", "1", "--users", "2"]);
    assert!(!success && said.contains("307"), "{said}");
}
