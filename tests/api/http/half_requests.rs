//! Clients that disconnect in the middle of a request: nothing is done.

use std::sync::Arc;

use redis::cmd;

use crate::raw::give_up;
use crate::support::{App, Database, Nginx, Redis, TOKEN};

/// Requests cut off in their body: before its first byte, before Rocket has peeked at it, and after.
fn halves(method_and_path: &str) -> Vec<String> {
    let head = format!("{method_and_path} HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\n");
    let mut halves = Vec::new();
    for body in ["", "short", "longer than the first bytes"] {
        halves.push(format!("{head}Content-Length: 500\r\n\r\n{body}"));
        let length = body.len();
        if length == 0 {
            halves.push(format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
        } else {
            halves.push(format!(
                "{head}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n"
            ));
            halves.push(format!("{head}Transfer-Encoding: chunked\r\n\r\nff\r\n{body}"));
        }
    }
    halves
}

fn messages(redis: &Redis, key: &str) -> usize {
    cmd("LLEN").arg(key).query(&mut redis.connect()).unwrap()
}

fn start() -> (App, Redis) {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    (app, redis)
}

#[test]
fn an_incomplete_push_pushes_nothing() {
    let (app, redis) = start();
    let nginx = Nginx::before(&[&app.address]);
    for path in ["POST /api/queue/push", "POST /api/queues/q/messages"] {
        for half in halves(path) {
            give_up(&app.address, half.as_bytes());
            give_up(&nginx.address, half.as_bytes());
        }
    }
    app.stop(); // and with it all pending work
    let keys: Vec<String> = cmd("KEYS").arg("*").query(&mut redis.connect()).unwrap();
    assert_eq!(keys, Vec::<String>::new());
}

#[test]
fn an_incomplete_pop_removes_nothing() {
    let (app, redis) = start();
    let nginx = Nginx::before(&[&app.address]);
    let () = cmd("RPUSH")
        .arg("message_queue")
        .arg(&["one"; 50])
        .query(&mut redis.connect())
        .unwrap();
    for half in halves("POST /api/queue/pop") {
        give_up(&app.address, half.as_bytes());
        give_up(&nginx.address, half.as_bytes());
    }
    app.stop();
    assert_eq!(messages(&redis, "message_queue"), 50);
}

#[test]
fn an_incomplete_order_is_not_placed() {
    let (app, database) = App::start();
    for half in halves("POST /orders") {
        give_up(&app.address, half.as_bytes());
    }
    app.stop();
    assert_eq!(database.orders(), 0);
}
