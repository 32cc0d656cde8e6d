//! Concurrent clients that send random requests, and record the answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use reqwest::Method;
use rocket::futures::future::join_all;
use rocket::tokio::spawn;
use serde_json::{Value, from_str, from_value, json};

use super::operation::{Operation, Outcome, Row, What};
use crate::support::{App, TAKE};

const CLIENTS: usize = 8;

/// The requests of each client; the checker accepts 128 in all.
const OPERATIONS: usize = 12;

/// The requests of all clients.
pub const ASKED: usize = CLIENTS * OPERATIONS;

/// The timeout of a client.
const PATIENCE: Duration = Duration::from_secs(5);

/// Orders per page: few, so that a change shows on the first.
const LIMIT: usize = 4;

struct Client {
    number: usize,
    apps: Arc<[App]>,
    /// Every order that any client knows.
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
    ListAfter(i64),
}

/// The codes for a place of unknown outcome, and for a request that was not served.
enum NotTold {
    Unknown,
    NotDone,
}

/// The history of a random mix. The seed determines the mix, but not the timing.
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

/// The last operation of a history: lists every order.
pub async fn look_at_all(apps: &Arc<[App]>, history: &mut Vec<Operation>) {
    let began = history.iter().map(|one| one.began).max().unwrap_or_default();
    let ends = history
        .iter()
        .map(|one| one.ended)
        .filter(|end| *end != Operation::NEVER);
    let began = ends.max().unwrap_or_default().max(began) + Duration::from_micros(1);
    let limit = 1000;
    let answer = apps[0].get(&format!("/orders?page=1&limit={limit}")).await;
    let rows = from_value(answer.body).unwrap();
    history.push(Operation {
        client: CLIENTS,
        instance: 0,
        began,
        ended: began,
        what: What::Listed { page: 1, limit, rows },
    });
}

/// Metres along the equator, as the service computes them.
fn metres(longitude: u8) -> i64 {
    const RADIUS: f64 = 6_371_008.8;
    format!("{:.0}", f64::from(longitude).to_radians() * RADIUS)
        .parse()
        .unwrap()
}

impl Client {
    async fn ask_all(mut self) -> Vec<Operation> {
        let mut history = Vec::new();
        for number in 0..OPERATIONS {
            // Each order has a distance of its own.
            let longitude = u8::try_from(self.number * OPERATIONS + number + 1).unwrap();
            let request = self.choose(longitude);
            let instance = self.instance();
            let began = self.start.elapsed();
            let told = request.send(&self.apps[instance]).await;
            let mut ended = self.start.elapsed();
            let what = match told {
                Ok(what) => what,
                Err(NotTold::NotDone) => continue,
                Err(NotTold::Unknown) => match request.unknown() {
                    Some(what) => {
                        ended = Operation::NEVER;
                        what
                    }
                    None => continue,
                },
            };
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

    fn choose(&mut self, longitude: u8) -> Request {
        match self.random.u8(..100) {
            0..25 => Request::Place { longitude },
            25..60 => Request::Take(self.order()),
            60..70 => Request::Show(self.order()),
            70..80 => Request::ListAfter(self.order() + self.random.i64(0..2)),
            _ => Request::List {
                page: self.random.choice([1, 1, 1, 2, 3]).unwrap(),
            },
        }
    }

    /// One of the newest, so that many race for the same; rarely one that no client knows: it may be in
    /// flight.
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
    async fn send(self, app: &App) -> Result<What, NotTold> {
        let (method, path, body) = match self {
            Self::Place { longitude } => {
                let body = json!({"origin": ["0", "0"], "destination": ["0", longitude.to_string()]});
                (Method::POST, "/orders".to_owned(), body.to_string())
            }
            Self::Take(id) => (Method::PATCH, format!("/orders/{id}"), TAKE.to_owned()),
            Self::Show(id) => (Method::GET, format!("/orders/{id}"), String::new()),
            Self::List { page } => {
                let path = format!("/orders?page={page}&limit={LIMIT}");
                (Method::GET, path, String::new())
            }
            Self::ListAfter(id) => {
                let path = format!("/orders?after={id}&limit={LIMIT}");
                (Method::GET, path, String::new())
            }
        };
        let request = app.http.request(method, format!("http://{}{path}", app.address));
        let Ok(response) = request.body(body).timeout(PATIENCE).send().await else {
            return Err(NotTold::Unknown);
        };
        let status = response.status().as_u16();
        let Ok(text) = response.text().await else {
            return Err(NotTold::Unknown);
        };
        let body = from_str(&text).unwrap_or(Value::Null);
        match (status, body["code"].as_str()) {
            (503, Some("outcome_unknown")) => Err(NotTold::Unknown),
            (503, Some("database_unavailable" | "overloaded")) => Err(NotTold::NotDone),
            _ => {
                let read = self.read(status, &body);
                Ok(read.unwrap_or_else(|| What::Odd(format!("{status} {text}"))))
            }
        }
    }

    /// Its possible effect; none if it only reads.
    fn unknown(self) -> Option<What> {
        match self {
            Self::Place { longitude } => Some(What::Unheard {
                distance: metres(longitude),
            }),
            Self::Take(id) => Some(What::MayHaveTaken(id)),
            _ => None,
        }
    }

    fn read(self, status: u16, body: &Value) -> Option<What> {
        let row = || from_value::<Row>(body.clone()).ok();
        let rows = || from_value::<Vec<Row>>(body.clone()).ok();
        let what = match (self, status, body["code"].as_str().unwrap_or_default()) {
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
            (Self::ListAfter(after), 200, _) => What::ListedAfter {
                after,
                limit: LIMIT,
                rows: rows()?,
            },
            _ => return None,
        };
        Some(what)
    }
}
