//! Restores that must not lose what is there, nor end with less than there was.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rocket::tokio::time::sleep;
use serde_json::{Value, json};

use crate::backup::Shelf;
use crate::stack::{
    as_superuser, assert_everything, command, compose, containers, inspect, order, place, pop, psql, push,
    run, said, succeeds, until_health, up, write_everything,
};

/// With these settings, whatever becomes of it: what it said, and whether it succeeded.
fn restore(file: &str, settings: &[(&str, &str)]) -> (String, bool) {
    let make = ["restore", &format!("FILE={file}")];
    let done = command("make")
        .args(make)
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let told = [done.stdout, done.stderr].concat();
    (String::from_utf8(told).unwrap(), done.status.success())
}

const OVERWRITE: (&str, &str) = ("OVERWRITE", "yes");

/// A statement in a database that may not be the service's.
fn in_database(name: &str, statement: &str) -> String {
    said("scripts/compose.sh", &psql(name, statement))
}

/// When each container of the service was started: the same, as long as nothing was stopped.
fn started() -> Vec<Value> {
    let state = |container: &String| inspect(container)["State"]["StartedAt"].take();
    let services = [
        "order-api-app",
        "order-api-nginx",
        "order-api-redis",
        "order-api-db",
    ];
    services
        .iter()
        .flat_map(|service| containers(service))
        .map(|container| state(&container))
        .collect()
}

#[rocket::async_test]
async fn what_is_placed_while_an_empty_stack_is_restored_is_not_lost() {
    up(1);
    let shelf = Shelf::new("meanwhile");
    write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    compose(&["down", "--volumes"]);
    up(1);
    let mut restoring = command("make")
        .args(["restore", &format!("FILE={file}")])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // By then it has seen that there is nothing.
    let began = Instant::now();
    while in_database(
        "postgres",
        "SELECT 1 FROM pg_database WHERE datname = 'order_api_restored'",
    ) != "1\n"
    {
        assert!(began.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(50)).await;
    }
    let id = place().await;
    assert!(!restoring.wait().unwrap().success());
    assert_eq!(order(id).await["status"], "UNASSIGNED");
    assert_eq!(as_superuser("SELECT count(*) FROM orders"), "1");
}

#[rocket::async_test]
async fn a_restore_that_failed_takes_nothing_away_later() {
    up(1);
    let shelf = Shelf::new("failed");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    // What it drops first before it swaps cannot be dropped.
    in_database("postgres", "CREATE DATABASE order_api_replaced");
    in_database(
        "order_api_replaced",
        "CREATE SUBSCRIPTION mine CONNECTION '' PUBLICATION theirs WITH (connect = false, slot_name = NONE)",
    );
    let (told, done) = restore(&file, &[OVERWRITE]);
    in_database("order_api_replaced", "DROP SUBSCRIPTION mine");
    in_database("postgres", "DROP DATABASE order_api_replaced");
    assert!(!done && told.contains("order_api_replaced"), "{told}");

    // All is as it was, and stays so when Redis is started again.
    assert_eq!(push("later").await, 200);
    compose(&["restart", "order-api-redis"]);
    until_health("order-api-app", "healthy").await;
    assert_eq!(order(id).await["status"], "TAKEN");
    let messages = [pop().await, pop().await, pop().await, pop().await];
    assert_eq!(
        messages,
        [json!("first"), json!("second"), json!("later"), Value::Null]
    );
}

#[rocket::async_test]
async fn what_would_keep_everything_down_is_told_before_anything_is_stopped() {
    up(1);
    let shelf = Shelf::new("settings");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let before = started();
    let wrong = ("TRUSTED_PROXIES", "everyone");
    let (told, done) = restore(&file, &[OVERWRITE, wrong]);
    assert!(
        !done && told.contains("TRUSTED_PROXIES has \"everyone\""),
        "{told}"
    );
    for major in ["18", "99"] {
        let upgrade = [
            "TRUSTED_PROXIES=everyone",
            "make",
            "upgrade-postgres",
            &format!("TO={major}"),
        ];
        assert!(said("env", &upgrade).contains("TRUSTED_PROXIES has \"everyone\""));
    }
    assert_eq!(started(), before);
    // What is checked out need not be what runs, and may not build.
    let (told, done) = restore(&file, &[OVERWRITE, ("BUILDX_BUILDER", "nowhere")]);
    assert!(done, "{told}");
    assert_everything(id).await;
}

/// A backup with something else in the place of its part for Redis: `redis` is the directory to put it in.
fn with_other_redis(shelf: &Shelf, whole: &str, name: &str, change: &str) -> String {
    let changed = shelf.file(name);
    let script = format!(
        "set -e; dir=$(mktemp -d); tar -x -f \"$1\" -C \"$dir\"; mkdir \"$dir/redis\"
         tar -x -f \"$dir/redis.tar\" -C \"$dir/redis\"; cd \"$dir/redis\"; {change}
         [ ! -d appendonlydir ] || tar -c -f ../redis.tar appendonlydir
         cd ..; tar -c -f \"$2\" postgres.dump redis.tar; rm -rf \"$dir\""
    );
    run("sh", &["-c", &script, "sh", whole, &changed]);
    changed
}

#[rocket::async_test]
async fn a_backup_whose_redis_is_not_whole_is_refused_and_nothing_is_changed() {
    up(1);
    let shelf = Shelf::new("redis");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let before = started();
    for (name, change, reason) in [
        (
            "empty",
            "rm -r appendonlydir; : >../redis.tar",
            "redis.tar is not an archive",
        ),
        (
            "lacking",
            "rm appendonlydir/*.incr.aof",
            "which its manifest names",
        ),
        ("unnamed", ": >appendonlydir/appendonly.aof.manifest", "is empty"),
        (
            "cut off",
            "rm -r appendonlydir; head -c 700 ../redis.tar >x; mv x ../redis.tar",
            "cut off",
        ),
        // Whole to look at, and nothing that Redis could load.
        (
            "foreign",
            "for file in appendonlydir/*.incr.aof; do echo Hello! >\"$file\"; done",
            "Redis cannot load",
        ),
    ] {
        let changed = with_other_redis(&shelf, &file, name, change);
        let (told, done) = restore(&changed, &[OVERWRITE]);
        assert!(!done && told.contains(reason), "{name}: {told}");
        assert_eq!(started(), before, "{name}");
    }
    assert_everything(id).await;
}

#[rocket::async_test]
async fn a_redis_that_cannot_start_is_restored() {
    up(1);
    let shelf = Shelf::new("broken");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let spoil = "for file in /data/appendonlydir/*.incr.aof; do echo Hello! >\"$file\"; done";
    compose(&["exec", "-T", "order-api-redis", "sh", "-c", spoil]);
    compose(&["kill", "order-api-redis"]);
    compose(&["start", "order-api-redis"]);
    let (told, done) = restore(&file, &[OVERWRITE]);
    assert!(done, "{told}");
    assert_everything(id).await;
}

#[rocket::async_test]
async fn an_error_of_postgresql_is_not_taken_for_an_empty_one() {
    up(1);
    let shelf = Shelf::new("error");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    // The table is kept from it.
    let locked = command("scripts/compose.sh")
        .args([
            "exec",
            "-T",
            "order-api-db",
            "psql",
            "-U",
            "order_api",
            "order_api",
            "-c",
        ])
        .arg("BEGIN; LOCK orders; SELECT pg_sleep(8)")
        .stdout(Stdio::null())
        .spawn();
    let mut locked = locked.unwrap();
    as_superuser("ALTER ROLE order_api SET lock_timeout = '200ms'");
    let (told, done) = restore(&file, &[]);
    as_superuser("ALTER ROLE order_api RESET lock_timeout");
    locked.wait().unwrap();
    assert!(
        !done && told.contains("PostgreSQL does not tell whether"),
        "{told}"
    );
    assert_everything(id).await;
}

#[rocket::async_test]
async fn commands_that_change_the_stack_run_one_at_a_time() {
    up(1);
    let shelf = Shelf::new("two");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let mut restoring = command("make")
        .args(["restore", &format!("FILE={file}")])
        .env("OVERWRITE", "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    sleep(Duration::from_millis(500)).await;
    for other in [
        &["docker-compose"][..],
        &["rolling-restart"],
        &["upgrade-postgres", "TO=19"],
        &["restore", &format!("FILE={file}")],
    ] {
        let refused = said("make", other);
        assert!(
            refused.contains("scripts/restore.sh (process "),
            "{other:?}: {refused}"
        );
        assert!(
            refused.contains("is at work on these containers"),
            "{other:?}: {refused}"
        );
    }
    assert!(restoring.wait().unwrap().success());
    assert_everything(id).await;
    assert!(succeeds("make", &["docker-compose"]));
}
