//! Nginx's answers when no instance answers: whether something may have been done or not.

use std::io::Read;
use std::net::TcpListener;
use std::thread;

use crate::raw::{Answer, Framing, Sent, ask};
use crate::support::Nginx;

/// An address without a listener.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server that accepts connections, reads this many times, and closes them.
fn closes_after(readings: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            thread::spawn(move || {
                for _ in 0..readings {
                    if !matches!(connection.read(&mut [0; 65536]), Ok(1..)) {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn sent(nginx: &Nginx, method: &str) -> Answer {
    let request = Sent {
        method,
        path: "/api/queue/pop",
        token: Some("any"),
        body: 10,
        framing: Framing::Length,
        expects: false,
    };
    request.then_read(&nginx.address).unwrap()
}

fn assert_nothing_was_done(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "service_unavailable")
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
}

fn assert_unknown(answer: &Answer, status: u16) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, "outcome_unknown")
    );
    assert_eq!(answer.header("retry-after"), None);
}

#[test]
fn without_an_instance_nothing_was_done() {
    let nginx = Nginx::before(&[&nobody(), &nobody()]);
    for _ in 0..10 {
        // After the third failure Nginx skips the instance.
        for method in ["POST", "PATCH", "DELETE", "GET"] {
            assert_nothing_was_done(&sent(&nginx, method));
        }
    }
    let lines = nginx.stop();
    let logged = lines.iter().filter(|line| line.contains(r#""status": 503"#));
    assert_eq!(logged.count(), 40, "{lines:#?}");
}

#[test]
fn an_instance_that_closes_without_an_answer_may_have_acted() {
    let nginx = Nginx::before(&[&closes_after(1)]);
    assert_unknown(&sent(&nginx, "POST"), 502);
    assert_unknown(&sent(&Nginx::before(&[&closes_after(1)]), "PATCH"), 502);
    assert_unknown(&sent(&Nginx::before(&[&closes_after(1)]), "DELETE"), 502);
    assert_nothing_was_done(&sent(&Nginx::before(&[&closes_after(1)]), "GET"));
}

#[test]
fn an_instance_that_is_silent_may_have_acted() {
    thread::scope(|scope| {
        for method in ["POST", "PATCH", "DELETE", "GET"] {
            scope.spawn(move || {
                let nginx = Nginx::before(&[&closes_after(2)]);
                let request =
                    format!("{method} /orders/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}");
                let answer = ask(&nginx.address, request.as_bytes()).unwrap();
                match method {
                    "GET" => assert_nothing_was_done(&answer),
                    _ => assert_unknown(&answer, 504),
                }
            });
        }
    });
}
