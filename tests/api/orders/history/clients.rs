//! Clients that ask at random, all at once, and write down what they were told.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use fastrand::Rng;
use rocket::futures::future::join_all;
use rocket::tokio::spawn;
use serde_json::{from_value, json};

use super::operation::{Operation, Outcome, Row, What};
use crate::support::{Answer, App};

const CLIENTS: usize = 8;

/// How much each client asks; the checker takes 128 in all.
const OPERATIONS: usize = 12;

/// Orders on a page: few, so that a change shows on the first.
const LIMIT: usize = 4;

struct Client {
    number: usize,
    apps: Arc<[App]>,
    /// Every order of which any client has heard.
    heard: Arc<Mutex<Vec<i64>>>,
    random: Rng,
    start: Instant,
}

#[derive(Clone, Copy)]
enum Request {
    Place { longitude: u8 },
    Take(i64),
    Show(i64),
    List { page: usize },
}

/// The history of a random mix; the seed decides the mix, but not who comes first.
pub async fn record(apps: &Arc<[App]>, seed: u64) -> Vec<Operation> {
    let mut random = Rng::with_seed(seed);
    let heard = Arc::default();
    let start = Instant::now();
    let clients = (0..CLIENTS).map(|number| Client {
        number,
        apps: Arc::clone(apps),
        heard: Arc::clone(&heard),
        random: random.fork(),
        start,
    });
    let histories = join_all(clients.map(|client| spawn(client.ask_all())).collect::<Vec<_>>()).await;
    histories.into_iter().flat_map(Result::unwrap).collect()
}

impl Client {
    async fn ask_all(mut self) -> Vec<Operation> {
        let mut history = Vec::new();
        for _ in 0..OPERATIONS {
            let request = self.choose();
            let instance = self.instance();
            let began = self.start.elapsed();
            let what = request.send(&self.apps[instance]).await;
            let ended = self.start.elapsed();
            if let What::Placed(row) = &what {
                self.heard.lock().unwrap().push(row.id);
            }
            history.push(Operation {
                client: self.number,
                instance,
                began,
                ended,
                what,
            });
        }
        history
    }

    fn choose(&mut self) -> Request {
        match self.random.u8(..100) {
            0..25 => Request::Place {
                longitude: self.random.u8(1..=180),
            },
            25..60 => Request::Take(self.order()),
            60..70 => Request::Show(self.order()),
            _ => Request::List {
                page: self.random.choice([1, 1, 1, 2, 3]).unwrap(),
            },
        }
    }

    /// One of the newest, so that many go for the same; seldom one of which nobody has heard: it may be on its
    /// way.
    fn order(&mut self) -> i64 {
        let heard = self.heard.lock().unwrap();
        let newest = heard.iter().max().copied().unwrap_or_default();
        let back = self.random.usize(..4).min(self.random.usize(..4));
        match heard.iter().rev().nth(back) {
            Some(&id) if self.random.u8(..10) > 0 => id,
            _ => newest + 1,
        }
    }

    /// Half of the clients stay with one instance.
    fn instance(&mut self) -> usize {
        if self.number.is_multiple_of(2) {
            self.number / 2 % self.apps.len()
        } else {
            self.random.usize(..self.apps.len())
        }
    }
}

impl Request {
    async fn send(self, app: &App) -> What {
        let answer = match self {
            Self::Place { longitude } => {
                let body = json!({"origin": ["0", "0"], "destination": ["0", longitude.to_string()]});
                app.post("/orders", body.to_string()).await
            }
            Self::Take(id) => app.take(id).await,
            Self::Show(id) => app.get(&format!("/orders/{id}")).await,
            Self::List { page } => app.get(&format!("/orders?page={page}&limit={LIMIT}")).await,
        };
        let read = self.read(&answer);
        read.unwrap_or_else(|| What::Odd(format!("{} {}", answer.status, answer.text)))
    }

    fn read(self, answer: &Answer) -> Option<What> {
        let row = || from_value::<Row>(answer.body.clone()).ok();
        let rows = || from_value::<Vec<Row>>(answer.body.clone()).ok();
        let what = match (self, answer.status, answer.code()) {
            (Self::Place { .. }, 200, _) => What::Placed(row()?),
            (Self::Take(id), 200, _) => What::Took(id, Outcome::Won),
            (Self::Take(id), 400, "order_taken") => What::Took(id, Outcome::Taken),
            (Self::Take(id), 400, "order_locked") => What::Took(id, Outcome::Locked),
            (Self::Take(id), 400, "order_not_found") => What::Took(id, Outcome::NotFound),
            (Self::Show(id), 200, _) => What::Shown(id, Some(row()?)),
            (Self::Show(id), 404, "order_not_found") => What::Shown(id, None),
            (Self::List { page }, 200, _) => What::Listed {
                page,
                limit: LIMIT,
                rows: rows()?,
            },
            _ => return None,
        };
        Some(what)
    }
}
