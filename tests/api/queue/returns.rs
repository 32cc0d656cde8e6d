//! Messages popped for clients that have disconnected: back at the head of the queue, in order, each once.

use std::sync::Arc;
use std::thread::spawn;
use std::time::{Duration, Instant};

use redis::{Commands, Connection};
use reqwest::Method;
use rocket::futures::future::join_all;
use rocket::tokio::time::sleep;

use super::hangup::{Clients, until};
use super::{length, messages, numbered, start};
use crate::raw::ask;
use crate::support::{App, Database, Proxy, Redis, TOKEN, Upstream, metric};

const POP: &str = include_str!("../../../src/queue/scripts/pop.lua");
const PUT_BACK: &str = include_str!("../../../src/queue/scripts/put_back.lua");

/// Redis holds every write back until it is released.
fn pause(control: &mut Connection) {
    // Longer than any test.
    let pause = redis::cmd("CLIENT")
        .arg("PAUSE")
        .arg(60_000)
        .arg("WRITE")
        .exec(control);
    pause.unwrap();
}

fn until_held_back(control: &mut Connection) {
    until("Redis holds a write back", || {
        let state: String = redis::cmd("INFO").arg("clients").query(control).unwrap();
        state.contains("blocked_clients:1\r\n")
    });
}

fn go_on(control: &mut Connection) {
    redis::cmd("CLIENT").arg("UNPAUSE").exec(control).unwrap();
}

fn fill(redis: &Redis, messages: usize) {
    let messages: Vec<_> = (0..messages).map(|number| numbered(number, 10)).collect();
    let _: () = redis.connect().rpush("message_queue", messages).unwrap();
}

/// Pops for clients that have disconnected by the time Redis returns the messages.
fn pop_and_leave(app: &App, redis: &Redis, clients: usize) {
    let mut control = redis.connect();
    pause(&mut control);
    let head = format!("POST /api/queue/pop HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\n");
    let leaving = Clients::ask(&app.address, &format!("{head}Content-Length: 0\r\n\r\n"), clients);
    leaving.until_read();
    until_held_back(&mut control);
    leaving.leave();
    go_on(&mut control);
}

/// Pops that reached Redis, and those that waited too long for that, as they may on a busy machine.
async fn popped_and_refused(app: &App) -> (usize, usize) {
    (
        metric(app, r#"order_api_lane_batch_items_sum{lane="pop"}"#).await,
        metric(app, r#"order_api_lane_refusals_total{lane="pop",reason="late"}"#).await,
    )
}

#[rocket::async_test]
async fn messages_popped_for_disconnected_clients_return_to_the_head_in_order() {
    let (app, redis) = start();
    fill(&redis, 100);
    pop_and_leave(&app, &redis, 60);
    let began = Instant::now();
    loop {
        let (popped, refused) = popped_and_refused(&app).await;
        if popped + refused == 60 && length(&redis) == 100 {
            assert!(popped > 1, "no order is lost where one alone comes back");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{popped} {refused}");
        sleep(Duration::from_millis(10)).await;
    }
    assert!(messages(&redis).into_iter().eq(0..100));
}

#[rocket::async_test]
async fn messages_popped_for_disconnected_clients_are_back_before_the_service_exits() {
    let (app, redis) = start();
    fill(&redis, 100);
    pop_and_leave(&app, &redis, 60);
    app.terminate();
    let app = Arc::into_inner(app).unwrap();
    assert!(!app.stop().is_empty());
    assert!(messages(&redis).into_iter().eq(0..100));
}

#[test]
fn messages_put_back_twice_exist_once() {
    let redis = Redis::start();
    let script = redis::Script::new(PUT_BACK);
    for _ in 0..3 {
        let mut call = script.prepare_invoke();
        call.key("message_queue")
            .key("queue:back:{message_queue}:1")
            .arg(60);
        let _: () = call.arg("1 b").arg("0 a").invoke(&mut redis.connect()).unwrap();
    }
    assert_eq!(messages(&redis), [0, 1]);
}

#[rocket::async_test]
async fn messages_are_put_back_once_although_no_replica_has_them() {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url);
    let app = Arc::new(app.with("REDIS_WAIT_REPLICAS", "1").start());
    for number in 0..10 {
        let message = numbered(number, 10);
        let _: () = redis.connect().rpush("message_queue", message).unwrap();
    }
    pop_and_leave(&app, &redis, 10);
    // At shutdown the service waits until they are back.
    app.terminate();
    assert!(!Arc::into_inner(app).unwrap().stop().is_empty());
    assert!(messages(&redis).into_iter().eq(0..10), "{:?}", messages(&redis));
}

/// Neither UTF-8 nor text.
const BYTES: &[u8] = b"\xff\xfe\x00";

#[rocket::async_test]
async fn bytes_of_other_programs_are_put_back_unchanged() {
    let (app, redis) = start();
    let _: () = redis.connect().rpush("message_queue", BYTES).unwrap();
    pop_and_leave(&app, &redis, 1);
    app.terminate();
    assert!(!Arc::into_inner(app).unwrap().stop().is_empty());
    let back: Vec<Vec<u8>> = redis.connect().lrange("message_queue", 0, -1).unwrap();
    assert_eq!(back, [BYTES]);
}

#[rocket::async_test]
async fn messages_that_a_silent_redis_returns_too_late_are_back_when_it_recovers() {
    let (app, redis) = start();
    fill(&redis, 100);
    // Redis is frozen with the command received, not before the connection was made.
    assert_eq!(
        app.authorized(Method::GET, "/api/queue/count", "").await.status,
        200
    );
    redis.freeze();
    for answer in join_all((0..50).map(|_| app.authorized(Method::POST, "/api/queue/pop", ""))).await {
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    redis.thaw();
    let began = Instant::now();
    while !messages(&redis).into_iter().eq(0..100) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", messages(&redis));
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        app.authorized(Method::POST, "/api/queue/pop", "").await.status,
        200
    );
}

/// A service that reaches Redis through a proxy, and a message that Redis has returned: the answer is in the frozen
/// connection, and the client got `503`.
fn handed_out_too_late() -> (App, Redis, Proxy, Connection) {
    let redis = Redis::start();
    let proxy = Proxy::start(Upstream::Unix(redis.socket()));
    let database = Arc::new(Database::migrated());
    let url = format!("redis://{}", proxy.address);
    let app = App::on(&database).with("REDIS_URL", &url).start();
    let mut control = redis.connect();
    for number in 0..2 {
        let _: () = control.rpush("message_queue", numbered(number, 10)).unwrap();
    }
    // So that the first call of each already does its work.
    for script in [POP, PUT_BACK] {
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(script).exec(&mut control);
        load.unwrap();
    }
    pause(&mut control);
    let pop = format!("POST /api/queue/pop HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\n\r\n");
    let address = app.address.clone();
    let popping = spawn(move || ask(&address, pop.as_bytes()).unwrap());
    until_held_back(&mut control);
    proxy.freeze_open();
    go_on(&mut control);
    assert_eq!(popping.join().unwrap().status, 503);
    assert_eq!(messages(&redis), [1]);
    (app, redis, proxy, control)
}

/// Scripts that Redis has refused for lack of replicas, and scripts that it has run.
fn scripts(control: &mut Connection) -> (usize, usize) {
    let counted = |section: &str, line: &str, control: &mut Connection| {
        let told: String = redis::cmd("INFO").arg(section).query(control).unwrap();
        let rest = told.lines().find_map(|told| told.strip_prefix(line));
        let digits = rest.and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
        digits.map_or(0, |digits| digits.parse().unwrap())
    };
    let refused = counted("errorstats", "errorstat_NOREPLICAS:count=", control);
    (
        refused,
        counted("commandstats", "cmdstat_evalsha:calls=", control),
    )
}

#[test]
fn a_message_that_redis_refuses_to_take_back_is_offered_until_it_accepts() {
    let (_app, redis, proxy, mut control) = handed_out_too_late();
    redis.set("min-replicas-to-write", "1");
    proxy.thaw();
    until("Redis has refused it", || scripts(&mut control).0 > 0);
    redis.set("min-replicas-to-write", "0");
    until("it is back", || messages(&redis) == [0, 1]);
}

#[test]
fn a_message_whose_return_was_not_confirmed_is_back_once() {
    let (_app, redis, proxy, mut control) = handed_out_too_late();
    pause(&mut control);
    proxy.thaw();
    until_held_back(&mut control);
    proxy.freeze_open();
    let (_, before) = scripts(&mut control);
    go_on(&mut control);
    until("it is back", || messages(&redis) == [0, 1]);
    // Its answer is frozen, so it is offered again.
    until("it was offered again", || scripts(&mut control).1 > before + 1);
    assert_eq!(messages(&redis), [0, 1]);
}
