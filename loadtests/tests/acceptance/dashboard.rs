//! The page as a person uses it: 50 users, Start, look, Stop. Leaves two pictures in `loadtests/reports/`.
//!
//! `DASHBOARD_ARGS="--scenarios race" make test-loadtests ARGS=fifty` makes those of docs/LOADTESTS.md.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::browser::Browser;
use crate::loadtests;

/// Killed with the test, unless it has ended by itself.
struct Dashboard {
    port: u16,
    program: Child,
}

impl Dashboard {
    fn start() -> Self {
        let host = std::env::var("HOST").expect("HOST is not set: run `make test-loadtests`");
        // The port that users know, unless somebody uses it just now.
        let listener = TcpListener::bind("127.0.0.1:8089").or_else(|_| TcpListener::bind("127.0.0.1:0"));
        let port = listener.unwrap().local_addr().unwrap().port();
        let mut command = loadtests(&["dashboard", "--host", &host, "--quiet"]);
        if port != 8089 {
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

fn number(text: &str) -> f64 {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_users_are_started_watched_and_stopped() {
    let mut dashboard = Dashboard::start();
    let browser = Browser::open(&format!("http://127.0.0.1:{}/", dashboard.port)).await;
    browser
        .until("#phase-badge", |phase| phase.eq_ignore_ascii_case("idle"))
        .await;

    browser.type_into("#ctrl-target", "50").await;
    browser.press("#ctrl-apply").await;
    browser.press("#ctrl-start").await;
    browser.until("#kpi-users", |users| users == "50 / 50").await;
    browser
        .until("#duration", |duration| number(duration) >= 12.0)
        .await;
    browser.until("#kpi-rps", |rate| number(rate) > 10.0).await;
    assert_eq!(number(&browser.text("#kpi-fail").await), 0.0);
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
