//! `GET /logs` and `GET /log_file`, and the content of the log files.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::futures::future::join_all;
use rocket::tokio::time::sleep;
use serde_json::Value;

use crate::support::{App, RACERS, TOKEN, TRIP};

/// The lines returned by this path.
async fn shown(app: &App, path: &str) -> Vec<Value> {
    let answer = app.authorized(Method::GET, path, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let lines = answer.text.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// As [`shown`], once there are this many: a line is written a moment after its answer.
async fn awaited(app: &App, path: &str, count: usize) -> Vec<Value> {
    let asked = Instant::now();
    loop {
        let lines = shown(app, path).await;
        if lines.len() == count {
            return lines;
        }
        assert!(asked.elapsed() < Duration::from_secs(10), "{path}: {lines:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Replaces the log with lines of these levels.
fn write(logs: &Path, levels: &[&str]) {
    let asked = Instant::now();
    while !fs::read_to_string(logs.join("app.log")).is_ok_and(|log| log.contains("listening")) {
        assert!(asked.elapsed() < Duration::from_secs(10));
    }
    let line = |level: &&str| format!("{{\"level\":\"{level}\",\"message\":\"an old line\"}}\n");
    fs::write(logs.join("app.log"), levels.iter().map(line).collect::<String>()).unwrap();
}

#[rocket::async_test]
async fn the_id_of_an_answer_finds_the_log_line_of_its_request() {
    let (app, _database) = App::start();
    let answer = app.get("/orders/7").await;
    app.get("/orders/8").await;
    let id = answer.header("x-request-id").unwrap();
    for path in ["/logs", "/log_file", "/logs/"] {
        let lines = awaited(&app, &format!("{path}?request_id={id}"), 1).await;
        assert_eq!(lines[0]["request_id"], id);
        assert_eq!(lines[0]["route"], "/orders/<id>");
        assert_eq!(lines[0]["status"], 404);
    }
}

#[rocket::async_test]
async fn the_newest_lines_come_last_and_200_by_default() {
    let (app, _database) = App::start();
    write(app.logs(), &["INFO"; 300]);
    assert_eq!(shown(&app, "/logs").await.len(), 200);
    assert_eq!(shown(&app, "/logs?lines=7").await.len(), 7);
    let id = app
        .get("/orders/7")
        .await
        .header("x-request-id")
        .unwrap()
        .to_owned();
    awaited(&app, &format!("/logs?request_id={id}"), 1).await;
    let all = shown(&app, "/logs?lines=10000").await;
    assert!(all[..300].iter().all(|line| line["message"] == "an old line"));
    assert!(all[300..].is_sorted_by_key(|line| line["timestamp"].as_str()) && all.len() > 302);
}

#[rocket::async_test]
async fn a_level_shows_lines_of_at_least_that_severity() {
    let (app, _database) = App::start();
    write(app.logs(), &["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]);
    for (level, count) in [("error", 1), ("WARN", 2)] {
        let lines = shown(&app, &format!("/logs?level={level}")).await;
        assert_eq!(lines.len(), count);
        assert_eq!(lines[count - 1]["level"], "ERROR");
    }
    assert_eq!(shown(&app, "/logs?level=debug&lines=1").await.len(), 1);
}

#[rocket::async_test]
async fn an_invalid_parameter_is_out_of_range_and_named() {
    let (app, _database) = App::start();
    let long = "x".repeat(129);
    for (parameter, value) in [
        ("lines", "0"),
        ("lines", "10001"),
        ("lines", "ten"),
        ("lines", ""),
        ("level", "loud"),
        ("level", ""),
        ("request_id", ""),
        ("request_id", "a%20b"),
        ("request_id", &long),
    ] {
        let path = format!("/logs?{parameter}={value}");
        let answer = app.authorized(Method::GET, &path, "").await;
        assert_eq!(answer.refusal(), (400, "out_of_range"), "{path}");
        assert!(
            answer.error().starts_with(&format!("{parameter} must be ")),
            "{answer:?}"
        );
    }
}

#[rocket::async_test]
async fn the_log_requires_a_token() {
    let (app, _database) = App::start();
    for path in ["/logs", "/log_file", "/logs?lines=0"] {
        assert_eq!(app.get(path).await.refusal(), (401, "unauthorized"), "{path}");
    }
}

#[rocket::async_test]
async fn errors_are_also_in_a_separate_file() {
    let app = App::on_url("postgresql://nobody@127.0.0.1:1/nothing").start();
    let id = "find-the-error";
    let url = format!("http://{}/orders/7", app.address);
    let answer = app.answer(app.http.get(url).header("X-Request-ID", id)).await;
    assert_eq!(answer.status, 503);
    awaited(&app, &format!("/logs?request_id={id}"), 2).await;
    let errors = awaited(&app, &format!("/logs?request_id={id}&level=error"), 1).await;
    assert_eq!(errors[0]["code"], "database_unavailable");
    let file = fs::read_to_string(app.logs().join("error.log")).unwrap();
    assert!(file.lines().all(|line| line.contains("\"level\":\"ERROR\"")));
    assert!(file.contains(id) && app.stop().contains(&errors[0]));
}

#[rocket::async_test]
async fn the_last_lines_are_written_before_exit() {
    let (mut app, _database) = App::start();
    let answers = (0..20).map(|_| app.get("/orders/7"));
    let answers = join_all(answers).await;
    app.terminate();
    assert!(app.wait().success());
    let text = fs::read_to_string(app.logs().join("app.log")).unwrap();
    for answer in answers {
        assert!(text.contains(answer.header("x-request-id").unwrap()));
    }
}

#[rocket::async_test]
async fn all_lines_are_whole_after_many_concurrent_requests() {
    let (mut app, _database) = App::start();
    join_all((0..RACERS).map(|_| app.get("/orders/7"))).await;
    app.terminate();
    assert!(app.wait().success());
    let text = fs::read_to_string(app.logs().join("app.log")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids: HashSet<String> = lines
        .filter(|line| line["route"] == "/orders/<id>")
        .map(|line| line["request_id"].to_string())
        .collect();
    assert_eq!(ids.len(), RACERS);
}

#[rocket::async_test]
async fn neither_tokens_nor_bodies_are_ever_logged() {
    let (_first, database) = App::start();
    let mut app = App::on(&database).with("LOG_LEVEL", "trace").start();
    for path in ["/api/queue/push", "/set", "/orders", "/logs"] {
        let body = format!("{{\"body-marker\": {TRIP}}}");
        app.authorized(Method::POST, path, body).await;
    }
    let url = format!("http://{}/set?token=query-marker", app.address);
    let wrong = app
        .http
        .post(url)
        .bearer_auth("wrong-token-marker")
        .body("body-marker");
    app.answer(wrong).await;
    app.terminate();
    assert!(app.wait().success());
    let file = fs::read_to_string(app.logs().join("app.log")).unwrap();
    for text in [file, format!("{:?}", app.stop())] {
        assert!(text.contains("/api/queue/push"));
        assert!(!text.contains(TOKEN) && !text.contains("marker"), "{text}");
    }
}
