//! `order-api healthcheck`, as a container's health check runs it.

use std::process::{Command, Output};
use std::sync::Arc;

use crate::support::{App, Database, Redis};

fn ask(address: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_order-api"))
        .arg("healthcheck")
        .env_clear()
        .env("LISTEN", address)
        .output()
        .unwrap()
}

#[rocket::async_test]
async fn a_healthy_service_exits_with_0_and_its_answer() {
    let (app, _database) = App::start();
    let asked = ask(&app.address);
    assert_eq!(String::from_utf8(asked.stdout).unwrap(), "{\"status\":\"ok\"}\n");
    assert!(asked.status.success());
}

#[rocket::async_test]
async fn a_service_without_redis_exits_with_1_and_what_is_down() {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    redis.stop();
    let asked = ask(&app.address);
    assert_eq!(asked.status.code(), Some(1));
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(
        said.contains("503") && said.contains(r#""redis":"down""#),
        "{said}"
    );
}

#[test]
fn without_a_listener_it_exits_with_1() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let asked = ask(&address);
    assert_eq!(asked.status.code(), Some(1));
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(
        said.starts_with(&format!("order-api: no answer from {address}: ")),
        "{said}"
    );
}
