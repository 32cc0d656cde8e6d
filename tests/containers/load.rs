//! Clients that place, take, show and list without pauses, over kept connections, and remember every answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Client, Method, RequestBuilder};
use rocket::tokio::task::JoinHandle;
use rocket::tokio::{join, spawn};

use crate::stack::{TRIP, body, token, url};

const CLIENTS: usize = 8;

/// What the clients have seen.
#[derive(Default, Debug)]
pub struct Seen {
    /// Expected answers.
    pub good: u64,
    /// Failed reads: they change nothing, so a proxy can repeat them.
    pub failed_reads: Vec<String>,
    /// Failed changes: placing and taking.
    pub failed_changes: Vec<String>,
    /// Per order: takes that won, and takes of unknown outcome.
    pub takes: BTreeMap<i64, (u32, u32)>,
}

pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Seen>>,
}

impl Load {
    pub fn start() -> Self {
        Self::of(CLIENTS, false)
    }

    /// Two connections per client; with `messages` each client also pushes and pops.
    pub fn of(clients: usize, messages: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let token = messages.then(token);
        let shared = Client::new(); // reads certificates: hundreds of clients doing so would delay the first requests
        let client = |_| spawn(until(Arc::clone(&stop), shared.clone(), token.clone()));
        Self {
            clients: (0..clients).map(client).collect(),
            stop,
        }
    }

    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for client in self.clients {
            let seen = client.await.unwrap();
            all.good += seen.good;
            all.failed_reads.extend(seen.failed_reads);
            all.failed_changes.extend(seen.failed_changes);
            all.takes.extend(seen.takes);
        }
        all
    }
}

async fn until(stop: Arc<AtomicBool>, client: Client, token: Option<String>) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        seen.round(&client).await;
        if let Some(token) = &token {
            seen.message(&client, token).await;
        }
    }
    seen
}

impl Seen {
    /// Places an order, takes it twice concurrently, and shows it.
    async fn round(&mut self, client: &Client) {
        let placed = match send(client, Method::POST, "/orders", TRIP).await {
            Ok((200, order)) => order["id"].as_i64().unwrap(),
            other => return self.failed_changes.push(format!("place: {other:?}")),
        };
        self.good += 1;
        let path = format!("/orders/{placed}");
        let take = || send(client, Method::PATCH, &path, r#"{"status": "TAKEN"}"#);
        let (one, other) = join!(take(), take());
        for taken in [one, other] {
            self.took(placed, taken);
        }
        for path in [&path, "/orders?page=1&limit=10"] {
            match send(client, Method::GET, path, "").await {
                Ok((200, _)) => self.good += 1,
                other => self.failed_reads.push(format!("{path}: {other:?}")),
            }
        }
    }

    /// Pushes a message and pops one.
    async fn message(&mut self, client: &Client, token: &str) {
        for verb in ["push", "pop"] {
            let request = client.post(url(&format!("/api/queue/{verb}"))).bearer_auth(token);
            match answered(request.body(if verb == "push" { "message" } else { "" })).await {
                Ok((200, _)) => self.good += 1,
                other => self.failed_changes.push(format!("{verb}: {other:?}")),
            }
        }
    }

    fn took(&mut self, id: i64, taken: Result<(u16, serde_json::Value), String>) {
        let (won, unknown) = self.takes.entry(id).or_default();
        match taken {
            Ok((200, _)) => *won += 1,
            Ok((400, _)) => {}
            other => {
                *unknown += 1;
                return self.failed_changes.push(format!("take {id}: {other:?}"));
            }
        }
        self.good += 1;
    }
}

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    sent: &'static str,
) -> Result<(u16, serde_json::Value), String> {
    answered(client.request(method, url(path)).body(sent)).await
}

async fn answered(request: RequestBuilder) -> Result<(u16, serde_json::Value), String> {
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    Ok((answer.status().as_u16(), body(answer).await))
}
