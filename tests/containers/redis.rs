//! Privileges in Redis.

use reqwest::Method;

use crate::stack::{ask, redis_password, said, up};

fn redis_cli(arguments: &[&str]) -> String {
    let exec = ["exec", "-T", "order-api-redis", "redis-cli"];
    said("scripts/compose.sh", &[&exec, arguments].concat())
}

fn as_the_service(command: &[&str]) -> String {
    let password = redis_password();
    let login = ["--user", "order-api", "--pass", &password, "--no-auth-warning"];
    redis_cli(&[&login, command].concat())
}

#[test]
fn without_credentials_nothing_is_answered() {
    up(1);
    assert!(redis_cli(&["ping"]).starts_with("NOAUTH"));
    for password in ["", "x", &redis_password()] {
        let refused = redis_cli(&[
            "--user",
            "default",
            "--pass",
            password,
            "--no-auth-warning",
            "ping",
        ]);
        assert!(
            refused.contains("WRONGPASS") || refused.contains("NOAUTH"),
            "{refused}"
        );
    }
}

#[test]
fn the_service_can_do_what_it_needs() {
    up(1);
    for (command, answer) in [
        (vec!["PING"], "PONG"),
        (vec!["RPUSH", "message_queue", "x"], "1"),
        (vec!["LLEN", "message_queue"], "1"),
        (vec!["LPOP", "message_queue"], "x"),
        (vec!["SET", "kv:a", "b"], "OK"),
        (vec!["EXISTS", "kv:a"], "1"),
        (vec!["SADD", "queues", "a"], "1"),
        (vec!["SSCAN", "queues", "0", "MATCH", "a", "COUNT", "999"], "0\na"),
        (vec!["SREM", "queues", "a"], "1"),
        (
            vec![
                "EVAL",
                "redis.call('TIME') redis.call('ZADD', KEYS[1], 1, 'a') redis.call('HSET', KEYS[2], 'a', 1) return redis.call('UNLINK', KEYS[1], KEYS[2])",
                "2",
                "queue:{a}:ready",
                "queue:{a}:messages",
            ],
            "2",
        ),
    ] {
        assert_eq!(as_the_service(&command).trim_end(), answer, "{command:?}");
    }
}

#[test]
fn the_service_can_do_nothing_else() {
    up(1);
    for command in [
        vec!["CONFIG", "GET", "maxmemory"],
        vec!["FLUSHALL"],
        vec!["FLUSHDB"],
        vec!["KEYS", "*"],
        vec!["SCAN", "0"],
        vec!["SCRIPT", "FLUSH"],
        vec!["ACL", "LIST"],
        vec!["SHUTDOWN"],
        vec!["MODULE", "LIST"],
        vec!["GET", "another"],
        vec!["SET", "another", "x"],
        vec!["SUBSCRIBE", "another"],
        vec!["EVAL", "return redis.call('GET', 'another')", "0"],
    ] {
        let refused = as_the_service(&command);
        assert!(
            refused.contains("NOPERM") || refused.contains("permission"),
            "{command:?}: {refused}"
        );
    }
}

#[rocket::async_test]
async fn the_scripts_of_the_reliable_queues_may_run() {
    up(1);
    let queue = "/api/queues/containers/messages";
    assert_eq!(ask(Method::POST, queue, "kept").await.0, 200);
    let (_, received) = ask(Method::POST, &format!("{queue}/receive"), "").await;
    let message = &received["messages"][0];
    assert_eq!(message["message"], "kept", "{received}");
    let receipt = message["receipt"].as_str().unwrap();
    let (acknowledged, _) = ask(Method::DELETE, &format!("{queue}/{receipt}"), "").await;
    assert_eq!(acknowledged, 200);
}
