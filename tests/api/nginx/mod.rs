//! Nginx as the edge of the service: HTTPS, and trusted proxies.

mod certificate;
mod dates;
mod metrics;
mod proxies;
mod reach;
mod renewal;
mod settings;
mod tls;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Simulates the service: answers each request with the head that Nginx has sent, as long as the test runs.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || answer_with_head(connection.unwrap()));
        }
    });
    address
}

fn answer_with_head(mut connection: TcpStream) {
    let (mut request, mut some) = (Vec::new(), [0; 65536]);
    let head = loop {
        let Ok(read @ 1..) = connection.read(&mut some) else {
            return; // Nginx has disconnected
        };
        request.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= told_length(head)
        {
            break head.to_owned();
        }
    };
    let length = head.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{head}");
    let _ = connection.write_all(answer.as_bytes());
}

fn told_length(head: &str) -> usize {
    head_value(head, "Content-Length").map_or(0, |length| length.parse().unwrap())
}

/// A header of the head that [`echo`] has returned.
fn head_value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).map(|(_, value)| value)
}
