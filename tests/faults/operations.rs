//! Every route of the service: the request, its dependencies, and its good answers.

use std::time::Duration;

use reqwest::Method;

use crate::client::{Reply, Request};
use crate::ledger::Ledger;
use crate::support::{TAKE, TRIP};
use crate::table::Dependency::{self, Postgres, Provider, Redis};

/// Orders that exist in advance; more than the couriers take.
pub const STOCK: u32 = 3000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Changes,
    Reads,
    Queue,
    Queues,
    Keys,
    Health,
}

pub struct Operation {
    pub route: &'static str,
    pub group: Group,
    /// The dependencies; it works without the others.
    pub needs: &'static [Dependency],
    /// The number of concurrent clients.
    pub clients: usize,
    /// The wait that the request itself asks for.
    pub waits: Duration,
    /// The request of this number; none if there is nothing to do right now.
    pub request: fn(&mut Ledger, usize) -> Option<Request>,
    pub is_good: fn(&Reply) -> bool,
    /// Records what the answer confirms.
    pub note: fn(&mut Ledger, &Request, &Reply),
}

const ORDERS: &[Dependency] = &[Postgres];
const BROKER: &[Dependency] = &[Redis];
const BOTH: &[Dependency] = &[Postgres, Redis];

fn operation(route: &'static str, group: Group, needs: &'static [Dependency]) -> Operation {
    Operation {
        route,
        group,
        needs,
        clients: 1,
        waits: Duration::ZERO,
        request: |_, _| None,
        is_good: |reply| reply.status == 200,
        note: Ledger::ignore,
    }
}

impl Operation {
    fn asks(mut self, request: fn(&mut Ledger, usize) -> Option<Request>) -> Self {
        self.request = request;
        self
    }

    fn notes(mut self, note: fn(&mut Ledger, &Request, &Reply)) -> Self {
        self.note = note;
        self
    }

    fn good(mut self, is_good: fn(&Reply) -> bool) -> Self {
        self.is_good = is_good;
        self
    }

    /// Whether it changes anything, so that its outcome can be unknown.
    pub fn changes(&self) -> bool {
        !self.route.starts_with("GET")
    }
}

fn request(method: Method, path: impl Into<String>) -> Option<Request> {
    Some(Request::new(method, path))
}

fn get(path: &str) -> Option<Request> {
    request(Method::GET, path)
}

fn post(path: &str) -> Option<Request> {
    request(Method::POST, path)
}

/// Every operation.
pub fn operations() -> Vec<Operation> {
    [orders(), queue(), queues(), queues_as_a_whole(), keys(), health()]
        .into_iter()
        .flatten()
        .collect()
}

fn orders() -> Vec<Operation> {
    // Enough for the table to grow by a page during the fault.
    let place = Operation {
        clients: 4,
        ..operation("POST /orders", Group::Changes, &[Postgres, Provider])
    };
    let place = place
        .asks(|_, _| Some(post("/orders")?.body(TRIP)))
        .notes(Ledger::place);
    // All of them race for the same order.
    let take = Operation {
        clients: 3,
        ..operation("PATCH /orders/<id>", Group::Changes, ORDERS)
    };
    let take = take
        .asks(|_, number| {
            let id = (number + 1).to_string();
            let request = request(Method::PATCH, format!("/orders/{id}"))?;
            Some(request.body(TAKE).about(id))
        })
        .good(|reply| reply.status == 200 || reply.is(400, "order_taken") || reply.is(400, "order_locked"))
        .notes(Ledger::take);
    let read = |route| operation(route, Group::Reads, ORDERS);
    vec![
        place,
        take,
        read("GET /orders/<id>").asks(|_, _| get("/orders/1")),
        read("GET /orders?page=").asks(|_, _| get("/orders?page=1&limit=20")),
        read("GET /orders?page= (deep)").asks(|_, _| get("/orders?page=100&limit=20")),
        read("GET /orders?after=").asks(|_, _| get("/orders?after=1000&limit=20")),
    ]
}

fn queue() -> Vec<Operation> {
    let of = |route| operation(route, Group::Queue, BROKER);
    let push = of("POST /api/queue/push").asks(|_, number| {
        let message = format!("plain-{number}");
        let request = post("/api/queue/push")?;
        Some(request.body(message.clone()).about(message))
    });
    vec![
        push.notes(Ledger::push),
        of("POST /api/queue/pop")
            .asks(|_, _| post("/api/queue/pop"))
            .notes(Ledger::pop),
        of("GET /api/queue/count").asks(|_, _| get("/api/queue/count")),
    ]
}

fn queues() -> Vec<Operation> {
    let of = |route| operation(route, Group::Queues, BROKER);
    let push = of("POST /api/queues/<queue>/messages").asks(|_, number| {
        let message = format!("reliable-{number}");
        let request = post("/api/queues/mails/messages")?;
        Some(request.body(message.clone()).about(message))
    });
    let receive = of("POST /api/queues/<queue>/messages/receive")
        .asks(|_, _| post("/api/queues/mails/messages/receive?max=4&visibility=2"));
    let wait = Operation {
        waits: Duration::from_secs(1),
        ..of("POST /api/queues/<queue>/messages/receive?wait=")
    };
    // The message may have been received again, or a previous attempt succeeded without an answer.
    let is_done = |reply: &Reply| reply.status == 200 || reply.is(404, "receipt_not_found");
    let defer = of("PATCH /api/queues/<queue>/messages/<receipt>").asks(|ledger, _| {
        let (receipt, message) = ledger.fresh.pop_front()?;
        let request = request(Method::PATCH, format!("/api/queues/mails/messages/{receipt}"))?;
        let about = format!("{receipt} {message}");
        Some(request.body(r#"{"visibility": 3}"#).about(about))
    });
    let acknowledge = of("DELETE /api/queues/<queue>/messages/<receipt>").asks(|ledger, _| {
        let (receipt, message) = ledger.receipts.pop_front()?;
        let request = request(Method::DELETE, format!("/api/queues/mails/messages/{receipt}"))?;
        Some(request.about(format!("{receipt} {message}")))
    });
    vec![
        push.notes(Ledger::queue),
        receive.notes(Ledger::receive),
        wait.asks(|_, _| post("/api/queues/nothing/messages/receive?wait=1")),
        defer.good(is_done).notes(Ledger::defer),
        acknowledge.good(is_done).notes(Ledger::acknowledge),
    ]
}

fn queues_as_a_whole() -> Vec<Operation> {
    let of = |route| operation(route, Group::Queues, BROKER);
    let was_ever_pushed = |reply: &Reply| reply.status == 200 || reply.is(404, "queue_not_found");
    vec![
        of("GET /api/queues/").asks(|_, _| get("/api/queues/")),
        of("GET /api/queues/<queue>")
            .asks(|_, _| get("/api/queues/mails"))
            .good(was_ever_pushed),
        of("GET /api/queues/<queue>/dead").asks(|_, _| get("/api/queues/mails/dead")),
        of("POST /api/queues/<queue>/dead/redrive").asks(|_, _| post("/api/queues/other/dead/redrive")),
        of("POST /api/queues/<queue>/purge").asks(|_, _| post("/api/queues/other/purge")),
        of("POST /api/queues/<queue>/dead/purge").asks(|_, _| post("/api/queues/other/dead/purge")),
        of("DELETE /api/queues/<queue>")
            .asks(|_, _| request(Method::DELETE, "/api/queues/none"))
            .good(was_ever_pushed),
    ]
}

fn keys() -> Vec<Operation> {
    let of = |route| operation(route, Group::Keys, BROKER);
    let set = of("POST /set").asks(|_, number| {
        let key = format!("set-{number}");
        let body = format!(r#"{{"id": "{key}", "data": "{key}"}}"#);
        Some(post("/set")?.body(body).about(key))
    });
    let add = of("POST /add").asks(|_, number| {
        let key = format!("add-{number}");
        let body = format!(r#"{{"key": "{key}", "value": "{key}"}}"#);
        Some(post("/add")?.body(body).about(key))
    });
    vec![
        set.good(|reply| [200, 201].contains(&reply.status))
            .notes(Ledger::keep),
        add.notes(Ledger::keep),
        of("GET /get/<key>")
            .asks(|_, _| get("/get/none"))
            .good(|reply| reply.is(404, "key_not_found")),
    ]
}

fn health() -> Vec<Operation> {
    let of = |route, needs| operation(route, Group::Health, needs);
    vec![
        of("GET /healthcheck", BOTH).asks(|_, _| get("/healthcheck")),
        of("GET /redis_health", BROKER).asks(|_, _| get("/redis_health")),
        of("GET /livez", &[]).asks(|_, _| get("/livez")),
        of("GET /metrics", &[]).asks(|_, _| get("/metrics")),
        of("GET /prom-metrics", &[]).asks(|_, _| get("/prom-metrics")),
        of("GET /logs", &[]).asks(|_, _| get("/logs?lines=20")),
        of("GET /log_file", &[]).asks(|_, _| get("/log_file?lines=20")),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::operations;

    /// Method and path of every route in a source file; paths are relative to their mount point.
    fn routes(directory: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                routes(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                for attribute in text.split("#[rocket::").skip(1) {
                    let attribute = attribute.lines().next().unwrap();
                    if let Some((method, rest)) = attribute.split_once("(\"/") {
                        let path = rest.split(['?', '"', ',']).next().unwrap();
                        found.push((method.to_uppercase(), format!("/{path}")));
                    }
                }
            }
        }
    }

    #[test]
    fn every_route_of_the_service_is_covered() {
        let mut found = Vec::new();
        routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 20, "{found:?}");
        for (method, path) in found {
            let is_asked = operations().iter().any(|operation| {
                let (asked, rest) = operation.route.split_once(' ').unwrap();
                let rest = rest.split([' ', '?']).next().unwrap();
                asked == method && (path == "/" || rest.ends_with(&path))
            });
            assert!(is_asked, "no operation covers {method} {path}");
        }
    }
}
