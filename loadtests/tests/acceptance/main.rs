//! The load tests as users run them: the real program, against an imitation of the service and against a stack.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, as it should"
)]

mod browser;
mod dashboard;
mod faults;
mod refusals;
mod stand_in;

use std::process::{Command, Output};

/// The program, at the root of the repository as `make` runs it, with these arguments.
fn loadtests(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-api-loadtests"));
    command
        .args(words)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command.env_remove("API_TOKEN").env_remove("DASHBOARD_TOKEN");
    command
}

/// Runs it to its end; returns whether the exit code was 0, and all output.
fn run(words: &[&str]) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = loadtests(words).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.success(), String::from_utf8(said).unwrap())
}
