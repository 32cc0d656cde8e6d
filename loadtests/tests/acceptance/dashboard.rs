//! The page as a person uses it: 50 users, Start, look, Stop. Saves two pictures in `loadtests/reports/`.
//!
//! `DASHBOARD_ARGS="--scenarios race" make test-loadtests ARGS=fifty` creates those of docs/LOADTESTS.md.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::stand_in::Takes;
use crate::{loadtests, stand_in};

/// The default port of the page.
const PORT: u16 = 8089;

/// Killed with the test, unless it has exited.
struct Dashboard {
    port: u16,
    program: Child,
}

impl Dashboard {
    /// On this port, or on a free one if it is in use.
    fn start(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
        let port = listener.unwrap().local_addr().unwrap().port();
        let mut command = loadtests(&["dashboard", "--host", host, "--quiet"]);
        if port != PORT {
            command.arg(format!("--dashboard-port={port}"));
        }
        if let Ok(token) = std::env::var("API_TOKEN") {
            command.env("API_TOKEN", token);
        }
        command.args(
            std::env::var("DASHBOARD_ARGS")
                .unwrap_or_default()
                .split_whitespace(),
        );
        let program = command.stdout(Stdio::null()).spawn().unwrap();
        let mut dashboard = Self { port, program };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(dashboard.program.try_wait().unwrap().is_none(), "it has ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        dashboard
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// None if it is not a number, with or without a unit.
fn number(text: &str) -> Option<f64> {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_users_are_started_watched_and_stopped() {
    let host = std::env::var("HOST").expect("HOST is not set: run `make test-loadtests`");
    let mut dashboard = Dashboard::start(&host, PORT);
    let browser = Browser::open(&format!("http://127.0.0.1:{}/", dashboard.port)).await;
    browser
        .until("#phase-badge", |phase| phase.eq_ignore_ascii_case("idle"))
        .await;

    browser.type_into("#ctrl-target", "50").await;
    browser.press("#ctrl-apply").await;
    browser.press("#ctrl-start").await;
    browser.until("#kpi-users", |users| users == "50 / 50").await;
    browser
        .until("#duration", |duration| {
            number(duration).is_some_and(|seconds| seconds >= 12.0)
        })
        .await;
    browser
        .until("#kpi-rps", |rate| number(rate).is_some_and(|rate| rate > 10.0))
        .await;
    assert_eq!(number(&browser.text("#kpi-fail").await), Some(0.0));
    assert!(
        browser
            .text("#requests-table")
            .await
            .contains("/orders/:id (lost)")
    );
    browser.text("#errors-body td.empty").await;
    browser.picture_of("#requests", "requests").await;
    browser.fold("#ctrl-settings").await;
    browser.picture_of("body", "dashboard").await;

    browser.press("#ctrl-stop").await;
    browser
        .until("#phase-badge", |phase| phase.eq_ignore_ascii_case("idle"))
        .await;
    browser.press("#ctrl-quit").await;
    assert!(dashboard.program.wait().unwrap().success());
    browser.close().await;
}

#[tokio::test]
async fn a_host_changed_on_the_page_is_checked_too() {
    let dashboard = Dashboard::start(&stand_in::start("test", Takes::AllWon), 0);
    let url = |path| format!("http://127.0.0.1:{}/api/v1/{path}", dashboard.port);
    let http = reqwest::Client::new();
    let production = stand_in::start("production", Takes::AllWon);
    let start = http
        .post(url("control/start"))
        .json(&json!({"host": production, "users": 2}));
    assert!(start.send().await.unwrap().status().is_success());
    let snapshot = loop {
        let snapshot: Value = http
            .get(url("snapshot"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if !snapshot["errors"].as_array().unwrap().is_empty() {
            break snapshot;
        }
    };
    assert!(
        snapshot["errors"][0]["error"]
            .as_str()
            .unwrap()
            .contains("is production"),
        "{snapshot}"
    );
    let requests = snapshot["requests"].as_array().unwrap();
    assert!(
        requests.iter().all(|request| request["name"] == "/livez"),
        "{snapshot}"
    );
}
