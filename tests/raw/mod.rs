//! Raw requests over a socket, which HTTP clients do not send: bodies that are too long, chunked, or incomplete.

#![allow(dead_code, reason = "several test binaries share it, and each uses a part")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// How a body declares its length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Framing {
    Length,
    Chunks,
}

#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    /// The length of the body, each byte an `x`.
    pub body: usize,
    pub framing: Framing,
    /// Whether it says `Expect: 100-continue` and sends its body anyway.
    pub expects: bool,
}

/// The last answer on a connection.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub text: String,
}

impl Answer {
    /// A complete one.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).unwrap().trim_start_matches(CONTINUE);
        let (head, text) = text.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let whole = match header(&head, "content-length") {
            Some(length) => text.len() == length.parse::<usize>().unwrap(),
            None => text.ends_with("\r\n0\r\n\r\n"),
        };
        whole.then(|| Self {
            status: head[9..12].parse().unwrap(),
            text: text.to_owned(),
            head,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The code of a refusal in the contract's shape: a sentence, a code, the request's id in body and header.
    pub fn code(&self) -> String {
        let body = self.json();
        assert!(body["error"].is_string(), "{self:?}");
        let id = body["request_id"].as_str().map(str::to_ascii_lowercase);
        assert!(
            id.is_some() && id.as_deref() == self.header("x-request-id"),
            "{self:?}"
        );
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        body["code"].as_str().unwrap().to_owned()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).map(|(_, value)| value)
}

pub fn connect(address: &str) -> TcpStream {
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.set_write_timeout(Some(PATIENCE)).unwrap();
    connection
}

/// Reads until the connection ends or stalls.
pub fn answer(connection: &mut TcpStream) -> Result<Answer, String> {
    let (mut bytes, mut some) = (Vec::new(), [0; 65536]);
    loop {
        match connection.read(&mut some) {
            Ok(0) => return Err(format!("ended after {:?}", String::from_utf8_lossy(&bytes))),
            Ok(read) => bytes.extend_from_slice(&some[..read]),
            Err(error) => return Err(format!("{error} after {:?}", String::from_utf8_lossy(&bytes))),
        }
        if let Some(answer) = Answer::parse(&bytes) {
            return Ok(answer);
        }
    }
}

/// Sends only these bytes.
pub fn ask(address: &str, request: &[u8]) -> Result<Answer, String> {
    let mut connection = connect(address);
    connection.write_all(request).map_err(|error| error.to_string())?;
    answer(&mut connection)
}

/// Sends a part of a request and closes its half of the connection; returns once the server has closed the other.
pub fn give_up(address: &str, part: &[u8]) {
    let mut connection = connect(address);
    connection.write_all(part).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest); // a reset ends it too
}

impl Sent<'_> {
    pub fn head(&self) -> String {
        let Self { method, path, .. } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n");
        if let Some(token) = self.token {
            head += &format!("Authorization: {token}\r\n");
        }
        if self.expects {
            head += "Expect: 100-continue\r\n";
        }
        head += &match self.framing {
            Framing::Length => format!("Content-Length: {}\r\n\r\n", self.body),
            Framing::Chunks => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
        };
        head
    }

    fn body(&self) -> Vec<u8> {
        let body = vec![b'x'; self.body];
        if self.framing == Framing::Length {
            return body;
        }
        let mut chunks = Vec::new();
        for chunk in body.chunks(50_000) {
            chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        chunks
    }

    /// By a client that sends everything before it reads anything.
    pub fn then_read(&self, address: &str) -> Result<Answer, String> {
        ask(address, &[self.head().into_bytes(), self.body()].concat())
    }

    /// By a client that reads all the time, and disconnects with the answer, even before everything is sent.
    pub fn while_reading(&self, address: &str) -> Result<Answer, String> {
        let mut connection = connect(address);
        connection.write_all(self.head().as_bytes()).unwrap();
        let (mut writer, body) = (connection.try_clone().unwrap(), self.body());
        let writing = thread::spawn(move || {
            let _ = writer.write_all(&body); // it may be stopped
        });
        let answer = answer(&mut connection);
        let _ = connection.shutdown(Shutdown::Both); // the server may have been first
        writing.join().unwrap();
        answer
    }
}
