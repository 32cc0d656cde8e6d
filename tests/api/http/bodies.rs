//! Bodies of every length at every route, with and without a token, directly and through Nginx.

use std::thread;

use crate::raw::{Answer, Framing, Sent};
use crate::support::{App, Database, Nginx, Redis, TOKEN};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const LENGTHS: [usize; 4] = [0, 1000, MIB, 6 * MIB];
const WRONG: &str = "a-token-that-opens-nothing";

/// A route, and its answer to a body of `x` that is not too long.
struct Route {
    method: &'static str,
    path: &'static str,
    guarded: bool,
    status: u16,
    /// The longest body that the service reads, and that Nginx forwards.
    limits: (usize, usize),
}

const fn route(
    method: &'static str,
    path: &'static str,
    guarded: bool,
    status: u16,
    limits: (usize, usize),
) -> Route {
    Route {
        method,
        path,
        guarded,
        status,
        limits,
    }
}

const NONE: (usize, usize) = (KIB, KIB);
const JSON: (usize, usize) = (16 * KIB, 16 * KIB);

const ROUTES: [Route; 26] = [
    route("GET", "/livez", false, 200, NONE),
    route("GET", "/healthcheck", false, 200, NONE),
    route("GET", "/redis_health", false, 200, NONE),
    route("GET", "/metrics", false, 200, NONE),
    route("GET", "/prom-metrics/", false, 200, NONE),
    route("GET", "/logs", true, 200, NONE),
    route("GET", "/log_file?lines=1", true, 200, NONE),
    route("GET", "/nothing", false, 404, (usize::MAX, KIB)),
    route("DELETE", "/orders", false, 405, (usize::MAX, 16 * KIB)),
    route("GET", "/orders?page=1&limit=1", false, 200, (KIB, 16 * KIB)),
    route("GET", "/orders/0", false, 404, (KIB, 16 * KIB)),
    route("POST", "/orders", false, 400, JSON),
    route("PATCH", "/orders/0", false, 400, JSON),
    route("PATCH", "/orders/one", false, 400, JSON),
    route("POST", "/api/queue/push", true, 200, (MIB, MIB)),
    route("POST", "/api/queue/pop", true, 200, NONE),
    route("GET", "/api/queue/count", true, 200, NONE),
    route("POST", "/api/queues/q/messages/", true, 200, (MIB, 7 * MIB)),
    route(
        "POST",
        "/api/queues/q/messages/receive",
        true,
        200,
        (KIB, 16 * KIB),
    ),
    route("PATCH", "/api/queues/q/messages/0", true, 400, JSON),
    route("DELETE", "/api/queues/q/messages/0", true, 404, (KIB, 16 * KIB)),
    route("GET", "/api/queues", true, 200, NONE),
    route("GET", "/api/queues/q/dead", true, 200, NONE),
    route("POST", "/api/queues/q/dead/redrive", true, 200, NONE),
    route("POST", "/set", true, 400, (7 * MIB, 7 * MIB)),
    route("GET", "/get/nothing", true, 404, NONE),
];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Via {
    Nothing,
    Nginx,
}

impl Route {
    /// The documented status. Nginx does not know the tokens, so with a wrong one it checks the length.
    fn expected(&self, sent: &Sent<'_>, via: Via) -> u16 {
        let (service, nginx) = self.limits;
        match sent.token {
            None if self.guarded => 401,
            _ if via == Via::Nginx && sent.body > nginx => 413,
            Some(WRONG) if self.guarded => 401,
            _ if sent.body > service => 413,
            _ => self.status,
        }
    }

    fn check(&self, sent: &Sent<'_>, via: Via, answer: Result<Answer, String>) {
        let answer = answer.unwrap_or_else(|error| panic!("{via:?} {sent:?}: {error}"));
        let expected = self.expected(sent, via);
        assert_eq!(answer.status, expected, "{via:?} {sent:?}: {answer:?}");
        match expected {
            200 => assert!(answer.header("x-request-id").is_some(), "{answer:?}"),
            401 => {
                assert_eq!(answer.code(), "unauthorized");
                assert_eq!(answer.json()["error"], "Unauthorized access!");
                assert_eq!(answer.header("www-authenticate"), Some("bearer"));
            }
            413 => assert_eq!(answer.code(), "payload_too_large"),
            _ => drop(answer.code()),
        }
    }
}

/// Every variant of a request to this route.
fn variants(route: &Route) -> Vec<Sent<'static>> {
    let mut all = Vec::new();
    for body in LENGTHS {
        for framing in [Framing::Length, Framing::Chunks] {
            for token in [Some(TOKEN), None, Some(WRONG)] {
                for expects in [false, true] {
                    all.push(Sent {
                        method: route.method,
                        path: route.path,
                        token,
                        body,
                        framing,
                        expects,
                    });
                }
            }
        }
    }
    all
}

/// How often each variant is tried, by both kinds of clients in turn: `BODY_ROUNDS`; 21 make a thousand requests per
/// route.
fn rounds() -> usize {
    std::env::var("BODY_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

fn try_all(address: &str, via: Via) {
    let try_route = |route: &Route| {
        for round in 0..rounds() {
            for (number, sent) in variants(route).iter().enumerate() {
                let answer = match (round + number / 2) % 2 {
                    0 => sent.then_read(address),
                    _ => sent.while_reading(address),
                };
                route.check(sent, via, answer);
            }
        }
    };
    thread::scope(|scope| {
        for routes in ROUTES.chunks(ROUTES.len() / 4) {
            scope.spawn(move || routes.iter().for_each(try_route));
        }
    });
}

/// A service with its own Redis, since all tests share the one plain queue.
fn start() -> (App, Redis) {
    let redis = Redis::start();
    let database = std::sync::Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    (app, redis)
}

#[test]
fn the_service_answers_every_body_as_documented() {
    let (app, _redis) = start();
    try_all(&app.address, Via::Nothing);
}

#[test]
fn nginx_answers_every_body_as_documented() {
    let (app, _redis) = start();
    let nginx = Nginx::before(&[&app.address]);
    try_all(&nginx.address, Via::Nginx);
}

fn length(redis: &Redis) -> usize {
    let mut connection = redis.connect();
    redis::cmd("LLEN")
        .arg("message_queue")
        .query(&mut connection)
        .unwrap()
}

/// Pops with every body, and compares what left the queue with what was delivered.
fn pop_with_every_body(address: &str, redis: &Redis) {
    let mut connection = redis.connect();
    for message in 0..300 {
        let () = redis::cmd("LPUSH")
            .arg("message_queue")
            .arg(message)
            .query(&mut connection)
            .unwrap();
    }
    let pop = ROUTES.iter().find(|route| route.path.ends_with("/pop")).unwrap();
    let before = length(redis);
    let mut delivered = 0;
    for sent in variants(pop) {
        for answer in [sent.then_read(address), sent.while_reading(address)] {
            delivered += usize::from(answer.unwrap().status == 200);
        }
    }
    assert_eq!(
        delivered,
        2 * 2 * 2 * 2,
        "both short lengths, framings, expectations and clients"
    );
    assert_eq!(length(redis), before - delivered);
}

#[test]
fn a_refused_pop_removes_no_message() {
    let (app, redis) = start();
    pop_with_every_body(&app.address, &redis);
    let nginx = Nginx::before(&[&app.address]);
    pop_with_every_body(&nginx.address, &redis);
}
