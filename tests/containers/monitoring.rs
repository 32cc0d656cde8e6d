//! Prometheus, and the queries of the Grafana dashboard.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use rocket::tokio::time::sleep;
use serde_json::{Value, json};

use crate::load::Load;
use crate::settings::Stack;
use crate::stack::{ask, body, compose, containers, inspect, pop, push, run, said, until_health, up};

async fn query(expression: &str) -> Vec<Value> {
    let port = std::env::var("PROMETHEUS_PORT").unwrap();
    let request = Client::new().get(format!("http://127.0.0.1:{port}/api/v1/query"));
    let answer = body(request.query(&[("query", expression)]).send().await.unwrap()).await;
    let results = answer["data"]["result"].as_array();
    results
        .unwrap_or_else(|| panic!("{expression}: {answer}"))
        .clone()
}

/// A result that is a number.
fn tells(result: &Value) -> bool {
    !["NaN", "+Inf"].contains(&result["value"][1].as_str().unwrap())
}

async fn until_one_answers(expression: &str) {
    let began = Instant::now();
    while !query(expression).await.iter().any(tells) {
        assert!(
            began.elapsed() < Duration::from_secs(40),
            "nothing for {expression}"
        );
        sleep(Duration::from_secs(1)).await;
    }
}

#[rocket::async_test]
async fn every_replica_is_scraped() {
    up(3);
    // Of the last 12 s: a restarted Prometheus shows its earlier samples for five minutes.
    let fresh = r#"count(up{job="order-api"} == 1 and time() - timestamp(up{job="order-api"}) < 12) == 3"#;
    until_one_answers(fresh).await;
    until_one_answers(r#"up{job="prometheus"} == 1"#).await;
}

#[rocket::async_test]
async fn every_panel_of_the_dashboard_has_data_under_traffic() {
    up(1);
    // Failures of each kind, so that their panels have data.
    compose(&["stop", "order-api-redis"]);
    assert_eq!(push("x").await, 503);
    assert_eq!(ask(Method::GET, "/nothing-here", "").await.0, 404);
    compose(&["start", "order-api-redis"]);
    until_health("order-api-app", "healthy").await;
    let load = Load::start();
    let dashboard: Value =
        serde_json::from_str(include_str!("../../monitoring/grafana/dashboards/order-api.json")).unwrap();
    let mut queries = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        push("x").await;
        pop().await;
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"]
                .as_str()
                .unwrap()
                .replace("$__rate_interval", "5m")
                .replace(" or vector(0)", ""); // would always return something
            until_one_answers(&expression).await;
            queries += 1;
        }
    }
    load.stop().await;
    assert!(queries > 10);
}

#[test]
fn the_alert_rules_pass_their_tests() {
    run("make", &["alerts"]);
}

#[rocket::async_test]
async fn alert_rules_are_quiet_when_healthy_and_fire_on_faults() {
    compose(&["down", "--volumes"]); // Prometheus remembers other tests
    up(1);
    let load = Load::start();
    sleep(Duration::from_secs(20)).await;
    let rules = evaluated_rules().await;
    load.stop().await;
    assert!(rules.len() >= 7);
    for rule in &rules {
        assert_eq!(
            (&rule["health"], &rule["state"]),
            (&json!("ok"), &json!("inactive")),
            "{rule}"
        );
    }

    give_up_a_message().await;
    until_loud("DeadLetters").await;
    compose(&["stop", "order-api-redis"]);
    until_loud("RedisErrors").await;
    until_loud("QueuesUnknown").await;
    compose(&["start", "order-api-redis"]);
    until_health("order-api-app", "healthy").await;
}

#[rocket::async_test]
async fn a_replica_that_is_gone_is_missed() {
    let stack = Stack::new(&[("REPLICAS", "2")]);
    stack.run("scripts/up.sh", &[]);
    until_one_answers(r#"count(up{job="order-api"} == 1) == 2"#).await;
    run("docker", &["stop", &containers("order-api-app")[0]]);
    until_loud("ReplicaMissing").await;
}

/// Pushes and pops meanwhile, which fails while Redis is down.
async fn until_loud(alert: &str) {
    let began = Instant::now();
    let is_loud = |rule: &Value| rule["name"] == alert && rule["state"] != "inactive";
    while !evaluated_rules().await.iter().any(is_loud) {
        assert!(began.elapsed() < Duration::from_secs(60), "{alert} is quiet");
        push("x").await;
        pop().await;
        sleep(Duration::from_secs(1)).await;
    }
}

const MAILS: &str = "/api/queues/mails/messages";

/// Receives a message of `mails`, and returns its path.
async fn receive(visibility: u32) -> String {
    let path = format!("{MAILS}/receive?visibility={visibility}");
    let (_, received) = ask(Method::POST, &path, "").await;
    let receipt = received["messages"][0]["receipt"].as_str();
    format!("{MAILS}/{}", receipt.unwrap_or_else(|| panic!("{received}")))
}

/// Delivers a message five times, so that it becomes a dead letter.
async fn give_up_a_message() {
    assert_eq!(ask(Method::POST, MAILS, "x").await.0, 200);
    for _ in 0..5 {
        let message = receive(300).await;
        let given_back = ask(Method::PATCH, &message, r#"{"visibility": 0}"#).await;
        assert_eq!(given_back.0, 200);
    }
}

#[rocket::async_test]
async fn the_totals_of_the_reliable_queues_reach_prometheus() {
    up(2);
    ask(Method::DELETE, "/api/queues/mails", "").await;
    give_up_a_message().await;
    assert_eq!(ask(Method::POST, MAILS, "[1, 2, 3]").await.0, 200);
    assert_eq!(
        ask(Method::POST, &format!("{MAILS}?delay=300"), "[4, 5]").await.0,
        200
    );
    receive(300).await;
    let (_, listed) = ask(Method::GET, "/api/queues", "").await;
    let queues = listed["queues"].as_array().unwrap();
    for state in ["ready", "delayed", "in_flight", "dead"] {
        let total: u64 = queues.iter().map(|queue| queue[state].as_u64().unwrap()).sum();
        assert!(total > 0, "{state}: {listed}");
        until_one_answers(&format!(
            r#"count(order_api_reliable_queue_messages{{state="{state}"}} == {total}) == 2"#
        ))
        .await;
    }
    for age in ["oldest_age", "longest_in_flight"] {
        until_one_answers(&format!("min(order_api_reliable_queue_{age}_seconds) > 5")).await;
    }
    ask(Method::DELETE, "/api/queues/mails", "").await;
}

/// The alert rules, after each of them has been evaluated.
async fn evaluated_rules() -> Vec<Value> {
    let port = std::env::var("PROMETHEUS_PORT").unwrap();
    let began = Instant::now();
    loop {
        let answer = reqwest::get(format!("http://127.0.0.1:{port}/api/v1/rules")).await;
        let answer = body(answer.unwrap()).await;
        let rules = answer["data"]["groups"][0]["rules"].as_array().unwrap().clone();
        if rules.iter().all(|rule| rule["health"] != "unknown") {
            return rules;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{rules:?}");
        sleep(Duration::from_secs(1)).await;
    }
}

#[rocket::async_test]
async fn metrics_are_restricted_to_private_networks() {
    up(1);
    let private = Client::new()
        .get(crate::stack::url("/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(private.status(), 200);

    let (network, nginx) = ("order-api-test-public", containers("order-api-nginx")[0].clone());
    said("docker", &["network", "rm", network]);
    run(
        "docker",
        &[
            "network",
            "create",
            "--internal",
            "--subnet",
            "203.0.113.0/24",
            network,
        ],
    );
    run("docker", &["network", "connect", network, &nginx]);
    let address = inspect(&nginx)["NetworkSettings"]["Networks"][network]["IPAddress"].take();
    let status = |path: &str| {
        let url = format!("http://{}:8080{path}", address.as_str().unwrap());
        let curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", &url];
        let image = ["run", "--rm", "--network", network, "nginx:1.30"];
        run("docker", &[&image[..], &curl[..]].concat())
    };
    let seen = (status("/metrics"), status("/prom-metrics/"), status("/livez"));
    run("docker", &["network", "disconnect", network, &nginx]);
    run("docker", &["network", "rm", network]);
    assert_eq!(
        (seen.0.as_str(), seen.1.as_str(), seen.2.as_str()),
        ("403", "403", "200")
    );
    assert_eq!(ask(Method::GET, "/livez", "").await.0, 200);
}
