//! From nothing to healthy.

use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::tokio::time::sleep;

use crate::stack::{
    SERVICES, ask, assert_everything, compose, containers, inspect, place, run, token, until_health, up, url,
    write_everything,
};

#[test]
fn every_container_is_healthy_and_its_check_says_so() {
    up(1);
    for service in SERVICES {
        let health = inspect(&containers(service)[0])["State"]["Health"].take();
        assert_eq!(health["Status"], "healthy", "{service}");
        let checks = health["Log"].as_array().unwrap();
        let said = checks.last().unwrap()["Output"].as_str().unwrap();
        let expected = match service {
            "order-api-db" => "accepting connections",
            "order-api-redis" => "PONG",
            "order-api-prometheus" => "Ready",
            _ => r#"{"status":"ok""#,
        };
        assert!(said.contains(expected), "{service}: {said}");
    }
}

#[test]
fn every_container_is_limited() {
    up(1);
    for service in SERVICES {
        let host = inspect(&containers(service)[0])["HostConfig"].take();
        assert!(host["Memory"].as_u64().unwrap() > 0, "{service}");
        assert!(host["NanoCpus"].as_u64().unwrap() > 0, "{service}");
        assert_eq!(host["ReadonlyRootfs"], true, "{service}");
        assert_eq!(host["CapDrop"][0], "ALL", "{service}");
        assert_eq!(host["SecurityOpt"][0], "no-new-privileges:true", "{service}");
        assert!(host["LogConfig"]["Config"]["max-size"].is_string(), "{service}");
    }
}

/// Ends a container's process from inside, and without an error.
#[rocket::async_test]
async fn every_container_restarts_after_any_exit() {
    up(1);
    for (service, signal) in [
        ("order-api-db", "INT"),
        ("order-api-redis", "TERM"),
        ("order-api-app", "TERM"),
        ("order-api-nginx", "TERM"),
    ] {
        let container = containers(service)[0].clone();
        let started = inspect(&container)["State"]["StartedAt"].take();
        compose(&["exec", "-T", service, "sh", "-c", &format!("kill -{signal} 1")]);
        let began = Instant::now();
        while inspect(&container)["State"]["StartedAt"] == started {
            assert!(began.elapsed() < Duration::from_secs(30), "{service} stays down");
            sleep(Duration::from_millis(200)).await;
        }
        until_health(service, "healthy").await;
    }
    place().await;
}

#[test]
fn docker_inspect_shows_no_password() {
    up(1);
    let secrets = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env")).unwrap();
    let secrets = secrets.lines().filter_map(|line| line.split_once('='));
    let secrets: Vec<_> = secrets
        .filter(|(name, value)| {
            (name.ends_with("_PASSWORD") || name.ends_with("_TOKEN")) && !value.is_empty()
        })
        .collect();
    assert!(secrets.len() > 5, "{}", secrets.len());
    for service in SERVICES {
        let told = inspect(&containers(service)[0]).to_string();
        for (name, value) in &secrets {
            assert!(!told.contains(value), "{service} shows {name}");
        }
    }
}

#[rocket::async_test]
async fn the_lines_of_the_readme_work() {
    up(1);
    let id = place().await;
    let mut lines = 0;
    for line in include_str!("../../README.md").lines() {
        let Some(arguments) = line.strip_prefix("    curl ") else {
            continue;
        };
        let line = format!("curl --silent --show-error --fail {arguments}")
            .replace("http://127.0.0.1:8080", &url(""))
            .replace("/orders/1", &format!("/orders/{id}"))
            .replace("$API_TOKEN", &token());
        run("bash", &["-c", &line]);
        lines += 1;
    }
    assert!(lines >= 5);
}

#[rocket::async_test]
async fn everything_survives_down_and_up() {
    up(1);
    let id = write_everything().await;
    compose(&["down"]);
    up(1);
    assert_everything(id).await;
}

#[rocket::async_test]
async fn a_stack_that_is_up_is_left_alone_by_another_up() {
    up(1);
    run("scripts/rolling-restart.sh", &[]); // replaces the containers in its own way
    let before: Vec<_> = SERVICES.iter().flat_map(|service| containers(service)).collect();
    run("scripts/up.sh", &[]);
    let after: Vec<_> = SERVICES.iter().flat_map(|service| containers(service)).collect();
    assert_eq!(before, after);
    assert_eq!(ask(Method::GET, "/healthcheck", "").await.0, 200);
}
