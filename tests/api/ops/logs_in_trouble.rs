//! A log that cannot be written costs log lines and one message, never an answer.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;

use crate::support::{App, Database, required};

/// A service that answers although its log directory is this one; and its message about that.
async fn serves_and_says(logs: &Path) -> String {
    let database = Arc::new(Database::migrated());
    let stderr = tempfile::NamedTempFile::new().unwrap();
    let app = App::on(&database).with("LOG_DIR", logs.to_str().unwrap());
    let app = app.start_telling(stderr.reopen().unwrap());
    for _ in 0..3 {
        app.place().await;
        thread::sleep(Duration::from_millis(50)); // a separate batch
    }
    let shown = app.authorized(Method::GET, "/logs", "").await;
    assert_eq!(shown.status, 200);
    let log = app.stop();
    assert_eq!(log.iter().filter(|line| line["route"] == "/orders").count(), 3);
    fs::read_to_string(stderr.path()).unwrap()
}

fn sentence(logs: &Path, error: &str) -> String {
    format!(
        "order-api: the log cannot be written to {}: {error}\n",
        logs.display()
    )
}

#[rocket::async_test]
async fn a_file_in_place_of_the_directory_is_reported_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let said = serves_and_says(file.path()).await;
    assert_eq!(said, sentence(file.path(), "File exists (os error 17)"));
}

#[rocket::async_test]
async fn a_directory_that_cannot_be_created_is_reported_once() {
    let said = serves_and_says(Path::new("/proc/order-api")).await;
    let error = "No such file or directory (os error 2)";
    assert_eq!(said, sentence(Path::new("/proc/order-api"), error));
}

#[rocket::async_test]
async fn a_full_disk_is_reported_once() {
    let logs = tempfile::tempdir().unwrap();
    symlink("/dev/full", logs.path().join("app.log")).unwrap();
    let said = serves_and_says(logs.path()).await;
    assert_eq!(
        said,
        sentence(logs.path(), "No space left on device (os error 28)")
    );
}

#[rocket::async_test]
async fn files_resume_when_the_disk_has_space_and_report_lost_lines() {
    let database = Arc::new(Database::migrated());
    let app = App::on(&database);
    let file = app.logs().join("app.log");
    symlink("/dev/full", &file).unwrap();
    let app = app.start_telling(Stdio::null());
    app.place().await;
    thread::sleep(Duration::from_millis(100));
    fs::remove_file(&file).unwrap();
    let asked = Instant::now();
    while !fs::read_to_string(&file)
        .unwrap_or_default()
        .contains("the log is written again")
    {
        assert!(asked.elapsed() < Duration::from_secs(10));
        app.place().await;
    }
    let log = app.stop();
    let told = log
        .iter()
        .find(|line| line["sink"] == file.parent().unwrap().to_str().unwrap())
        .unwrap();
    assert!(told["lost"].as_u64() >= Some(1), "{told}");
}

#[rocket::async_test]
async fn a_removed_directory_is_created_again() {
    let (app, _database) = App::start();
    app.place().await;
    thread::sleep(Duration::from_millis(100));
    fs::remove_dir_all(app.logs()).unwrap();
    let asked = Instant::now();
    while !app.logs().join("app.log").exists() {
        assert!(asked.elapsed() < Duration::from_secs(10));
        app.place().await;
    }
}

#[rocket::async_test]
async fn without_a_directory_there_are_no_files_and_no_message() {
    let here = Path::new("-");
    assert_eq!(serves_and_says(here).await, "");
    assert!(!here.exists());
}

#[rocket::async_test]
async fn an_unread_standard_output_blocks_no_request_and_no_exit() {
    let database = Arc::new(Database::migrated());
    let logs = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_order-api"))
        .arg("serve")
        .env_clear()
        .envs(required(&database.url))
        .env("LISTEN", "127.0.0.1:0")
        .env("LOG_DIR", logs.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let address = listening(&logs.path().join("app.log"));
    let http = reqwest::Client::new();
    // A pipe holds 64 KiB, and the queue behind it all of these lines.
    for _ in 0..1000 {
        let answer = http
            .get(format!("http://{address}/nothing"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 404);
    }
    let asked = Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let log = fs::read_to_string(logs.path().join("app.log")).unwrap();
    assert_eq!(log.matches("\"request\"").count(), 1000);
}

fn listening(log: &Path) -> String {
    let asked = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some((_, rest)) = text.split_once("listening on http://") {
            return rest.split('"').next().unwrap().to_owned();
        }
        assert!(asked.elapsed() < Duration::from_secs(10), "{text}");
    }
}

#[rocket::async_test]
async fn several_processes_share_the_files() {
    let database = Arc::new(Database::migrated());
    let first = App::on(&database).start();
    let second = App::on(&database).with("LOG_DIR", first.logs().to_str().unwrap());
    let second = second.start();
    let (of_first, of_second) = (first.get("/orders/7").await, second.get("/orders/7").await);
    for answer in [of_first, of_second] {
        let path = format!("/logs?request_id={}", answer.header("x-request-id").unwrap());
        let asked = Instant::now();
        while first.authorized(Method::GET, &path, "").await.text.is_empty() {
            assert!(asked.elapsed() < Duration::from_secs(10));
        }
    }
}
