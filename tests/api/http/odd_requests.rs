//! Requests that no ordinary client sends: each gets the right status, the contract's JSON, and one line in a log.

use serde_json::Value;

use crate::raw::{Answer, ask};
use crate::support::{App, Nginx, TOKEN};

const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"];

/// A push, with any method, whose body is a form that names a method.
fn form(address: &str, method: &str, named: &str) -> Answer {
    let body = format!("_method={named}");
    let request = format!(
        "{method} /api/queue/push HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(address, request.as_bytes()).unwrap()
}

fn assert_method_counts(answer: &Answer, method: &str, named: &str) {
    match method {
        "POST" => assert_eq!(answer.status, 200, "{named}: {answer:?}"),
        _ => assert_eq!(
            (answer.status, answer.code().as_str()),
            (405, "method_not_allowed"),
            "{method} {named}: {answer:?}"
        ),
    }
}

#[test]
fn a_form_never_changes_the_method() {
    let (app, _database) = App::start();
    let nginx = Nginx::before(&[&app.address]);
    for method in METHODS {
        for named in ["x", "", "get", "put", "POST", "delete", "options", "patch"] {
            let answer = form(&nginx.address, method, named);
            assert_method_counts(&answer, method, named);
            // If the body names the request's own method, only Nginx can tell it from a POST.
            if named != method.to_ascii_lowercase() {
                let answer = form(&app.address, method, named);
                assert_method_counts(&answer, method, named);
            }
        }
    }
}

/// Targets, methods and headers for which the service's HTTP library would close the connection without an answer.
fn malformed() -> Vec<(Vec<u8>, u16)> {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes();
    let many: String = (0..200).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let long: String = (0..6)
        .map(|n| format!("X-{n}: {}\r\n", "x".repeat(7_900)))
        .collect();
    let with = |headers: &[u8]| [b"GET /orders/0 HTTP/1.1\r\nHost: x\r\n", headers, b"\r\n"].concat();
    vec![
        (get("/orders/<1>"), 400),
        (get("/orders/>"), 400),
        (get("/orders/`"), 400),
        (get("/orders?page=\""), 400),
        (get("/orders?page=<"), 400),
        (
            b"GET /get/\xff\xfe HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\n\r\n".to_vec(),
            400,
        ),
        (b"BREW /orders HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 501),
        (b"brew /orders HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 400),
        (b"TRACE /orders HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 405),
        (b"GET /orders/0 HTTP/1.1\r\n\r\n".to_vec(), 400),
        (with(many.as_bytes()), 404),
        (with(long.as_bytes()), 431),
        (with(b"X-Odd: \xff\xfe\r\n"), 404),
        (with(b"Accept: \xff\xfe\r\n"), 404),
        (with(b"Accept: \x01\r\n"), 400),
        (with(b"X-Forwarded-For: \x01\r\n"), 400),
        (with(b"X-Request-ID: \xff\xfe\r\n"), 404),
        (with(b"Authorization: \x7f\r\n"), 400),
        (with(b"Content-Type: \x01\r\n"), 400),
    ]
}

#[test]
fn nginx_answers_what_the_service_cannot() {
    let (app, _database) = App::start();
    let nginx = Nginx::before(&[&app.address]);
    for (request, status) in malformed() {
        let readable = String::from_utf8_lossy(&request).into_owned();
        let answer = ask(&nginx.address, &request).unwrap();
        assert_eq!(answer.status, status, "{readable}: {answer:?}");
        answer.code();
    }
    let lines = nginx.stop();
    let requests = lines.iter().filter(|line| line.starts_with('{'));
    for line in requests.clone() {
        let _: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert_eq!(requests.count(), malformed().len(), "{lines:#?}");
}

#[test]
fn an_unknown_method_is_logged() {
    let (app, _database) = App::start();
    let request = b"BREW /orders HTTP/1.1\r\nHost: x\r\nX-Request-ID: coffee\r\n\r\n";
    assert_eq!(ask(&app.address, request).unwrap().status, 501);
    let log = app.stop();
    let lines: Vec<_> = log.iter().filter(|line| line["request_id"] == "coffee").collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["status"], &lines[0]["message"]),
        (&501.into(), &"request".into())
    );
}
