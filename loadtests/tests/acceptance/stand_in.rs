//! Imitates a service that is as wrong as no real one should be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// How it answers `PATCH /orders/:id`.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Everyone gets every order.
    AllWon,
    /// Nobody gets any.
    AllLost,
    /// No order can be placed, and every message is discarded.
    Nothing,
    /// Every request except that for the environment is redirected to this host.
    Elsewhere(&'static str),
}

struct StandIn {
    environment: &'static str,
    takes: Takes,
    orders: AtomicU64,
}

/// Starts one that lives as long as the test process; returns its URL.
pub fn start(environment: &'static str, takes: Takes) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let orders = AtomicU64::new(0);
    let stand_in = Arc::new(StandIn {
        environment,
        takes,
        orders,
    });
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let stand_in = Arc::clone(&stand_in);
            thread::spawn(move || stand_in.serve(&connection));
        }
    });
    url
}

impl StandIn {
    fn serve(&self, connection: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(connection);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).ok()? == 0 {
                    return None;
                }
            }
            let head = head.to_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .map_or("0", |rest| rest.lines().next().unwrap());
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).ok()?;
            let (status, answer) = self.answer(&head);
            let location = match status {
                "307 Temporary Redirect" => format!("Location: {answer}\r\n"),
                _ => String::new(),
            };
            let length = answer.len();
            write!(
                &mut &*connection,
                "HTTP/1.1 {status}\r\n{location}Content-Length: {length}\r\n\r\n{answer}"
            )
            .ok()?;
        }
    }

    fn answer(&self, head: &str) -> (&'static str, String) {
        let method = head.split(' ').next().unwrap();
        let path = head.split(' ').nth(1).unwrap();
        match (method, self.takes) {
            (_, Takes::Elsewhere(host)) if path != "/livez" => {
                ("307 Temporary Redirect", format!("{host}{path}"))
            }
            ("post", Takes::Nothing) if path == "/orders" => (
                "503 Service Unavailable",
                r#"{"error": "", "code": "overloaded"}"#.to_owned(),
            ),
            ("post", _) if path.starts_with("/api/queue/") => {
                ("200 OK", r#"{"status": "ok", "message": null}"#.to_owned())
            }
            ("post", _) => {
                let id = self.orders.fetch_add(1, Ordering::SeqCst) + 1;
                (
                    "200 OK",
                    format!(r#"{{"id": {id}, "distance": 1, "status": "UNASSIGNED"}}"#),
                )
            }
            ("patch", Takes::AllWon) => ("200 OK", r#"{"status": "SUCCESS"}"#.to_owned()),
            ("patch", _) => (
                "400 Bad Request",
                r#"{"error": "", "code": "order_taken"}"#.to_owned(),
            ),
            _ if self.environment.is_empty() => ("404 Not Found", "{}".to_owned()),
            _ => (
                "200 OK",
                format!(r#"{{"status": "ok", "environment": "{}"}}"#, self.environment),
            ),
        }
    }
}
