//! A local provider for tests: records the requests and answers as told.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use rocket::tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::time::sleep;

use crate::config::Outbound;
use crate::orders::distance::online::{Api, Online};
use crate::orders::distance::{DistanceError, DistanceProvider};
use crate::orders::model::{Coordinates, Trip};
use crate::outbound::Client;

pub(in crate::orders::distance) const KEY: &str = "AIza-a-key-for-tests";

/// The answer of OSRM, which stands for all providers, about a trip.
pub(in crate::orders::distance) const FOUND: &str = r#"{"code": "Ok", "routes": [{"distance": 1886.4}]}"#;

/// The answers to requests, in order; the last one is repeated.
#[derive(Clone)]
pub(in crate::orders::distance) enum Reply {
    Send(String),
    SendAndHangUp(String),
    Silence,
    Endless,
    /// Byte by byte, 50 ms apart.
    Drip(String),
    Late(Duration, String),
}

impl Reply {
    pub(in crate::orders::distance) fn with(status: u16, body: impl AsRef<str>) -> Self {
        Self::Send(http(status, body.as_ref()))
    }

    pub(in crate::orders::distance) fn hang_up() -> Self {
        Self::SendAndHangUp(String::new())
    }
}

/// An answer with [`FOUND`].
pub(in crate::orders::distance) fn found() -> Reply {
    Reply::with(200, FOUND)
}

/// A complete answer.
pub(in crate::orders::distance) fn http(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[derive(Clone)]
pub(in crate::orders::distance) struct Request {
    pub(in crate::orders::distance) head: String,
    pub(in crate::orders::distance) body: String,
}

impl Request {
    pub(in crate::orders::distance) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    requests: Vec<Request>,
    connections: usize,
    /// Connections up to this number are no longer answered.
    frozen: usize,
}

pub(in crate::orders::distance) struct StandIn {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub(in crate::orders::distance) async fn start(replies: impl Into<VecDeque<Reply>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            replies: replies.into(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut state = shared.lock().unwrap();
                    state.connections += 1;
                    state.connections
                };
                tokio::spawn(serve(stream, number, Arc::clone(&shared)));
            }
        });
        Self { port, state }
    }

    pub(in crate::orders::distance) fn url(&self, path: &str) -> Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap()
    }

    pub(in crate::orders::distance) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub(in crate::orders::distance) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// The currently open connections are no longer answered.
    pub(in crate::orders::distance) fn freeze(&self) {
        let mut state = self.state.lock().unwrap();
        state.frozen = state.connections;
    }

    /// From now on every request gets this answer.
    pub(in crate::orders::distance) fn answer(&self, reply: Reply) {
        self.state.lock().unwrap().replies = [reply].into();
    }

    pub(in crate::orders::distance) fn only_request(&self) -> Request {
        let state = self.state.lock().unwrap();
        assert_eq!(state.requests.len(), 1);
        state.requests[0].clone()
    }
}

async fn serve(stream: TcpStream, number: usize, state: Arc<Mutex<State>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let request = read(&mut stream).await?;
        if number <= state.lock().unwrap().frozen {
            pending::<()>().await;
        }
        match note(&state, request) {
            Reply::Send(text) => stream.write_all(text.as_bytes()).await.ok()?,
            Reply::SendAndHangUp(text) => return stream.write_all(text.as_bytes()).await.ok(),
            Reply::Silence => pending().await,
            Reply::Late(after, text) => {
                sleep(after).await;
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Reply::Drip(text) => {
                for byte in text.into_bytes() {
                    stream.write_all(&[byte]).await.ok()?;
                    sleep(Duration::from_millis(50)).await;
                }
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 X\r\n\r\n").await.ok()?;
                while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Request { head, body })
}

fn note(state: &Mutex<State>, request: Request) -> Reply {
    let mut state = state.lock().unwrap();
    state.requests.push(request);
    match state.replies.len() {
        1 => state.replies[0].clone(),
        _ => state.replies.pop_front().unwrap(),
    }
}

/// From one place in Berlin to another.
pub(in crate::orders::distance) fn trip() -> Trip {
    let place = |latitude, longitude| Coordinates::new(latitude, longitude).unwrap();
    Trip {
        origin: place(52.517_037, 13.388_86),
        destination: place(52.529_407, 13.397_634),
    }
}

/// The settings of production.
pub(in crate::orders::distance) fn online<A: Api>(api: A) -> Online<A> {
    Online::new(api, Client::new(&Outbound::default()).unwrap())
}

/// Looks up as production does.
pub(in crate::orders::distance) async fn lookup(api: impl Api) -> Result<i32, DistanceError> {
    online(api).distance(&trip()).await
}

/// Looks up as production does, but with short timeouts.
pub(in crate::orders::distance) async fn hasty_lookup(api: impl Api) -> Result<i32, DistanceError> {
    let hasty = Outbound {
        timeout: Duration::from_millis(500),
        ..Outbound::default()
    };
    let client = Client::new(&hasty).unwrap();
    Online::new(api, client).distance(&trip()).await
}

/// The error of a lookup that must fail.
pub(in crate::orders::distance) fn reason(outcome: Result<i32, DistanceError>) -> String {
    match outcome {
        Err(DistanceError::Unavailable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}
