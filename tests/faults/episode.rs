//! One row of the table: all operations at once, before, during and after a fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::futures::future::join_all;
use rocket::tokio::spawn;
use rocket::tokio::task::JoinHandle;
use rocket::tokio::time::sleep;
use serde_json::Value;

use crate::audit::{Audit, audit};
use crate::client::Request;
use crate::ledger::Ledger;
use crate::measured::Measured;
use crate::operations::{Operation, operations};
use crate::stage::Stage;
use crate::support::App;
use crate::table::Row;

/// The duration of a fault: longer than any answer may take.
const FAULT: Duration = Duration::from_secs(3);

/// The pause between two requests of one client.
const PAUSE: Duration = Duration::from_millis(100);

/// The limit for recovery, longer than allowed.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Episode {
    pub row: Row,
    pub operations: Vec<(Operation, Measured)>,
    /// The operations that did not recover in time.
    pub never_well: Vec<&'static str>,
    pub audit: Audit,
    /// The warnings and errors in the service's log, with their counts.
    pub log: BTreeMap<String, usize>,
}

/// One operation and its measurements.
struct Asked {
    operation: Operation,
    measured: Mutex<Measured>,
}

struct Mix {
    address: String,
    http: reqwest::Client,
    asked: Vec<Arc<Asked>>,
    ledger: Mutex<Ledger>,
    is_over: AtomicBool,
}

impl Episode {
    pub async fn play(row: Row) -> Self {
        let stage = Stage::set(row).await;
        let mix = Arc::new(Mix::new(&stage.app));
        let clients = mix.start();
        let never = mix.until_well(2 * PATIENCE).await;
        assert!(never.is_empty(), "{row:?}: failing before the fault: {never:?}");
        mix.leave_messages_behind().await;
        mix.each(Measured::fault_begins);
        stage.begin().await;
        sleep(FAULT).await;
        stage.end().await;
        let ended = Instant::now();
        mix.each(|measured| measured.fault_ended(ended));
        let never_well = mix.until_well(PATIENCE).await;
        mix.is_over.store(true, Ordering::SeqCst);
        for client in join_all(clients).await {
            client.unwrap();
        }
        let mix = Arc::into_inner(mix).unwrap();
        let mut ledger = mix.ledger.into_inner().unwrap();
        let audit = if never_well.is_empty() {
            audit(&stage.app, &mut ledger).await
        } else {
            Audit::impossible()
        };
        let operations = mix.asked.into_iter().map(|asked| {
            let asked = Arc::into_inner(asked).unwrap();
            (asked.operation, asked.measured.into_inner().unwrap())
        });
        Self {
            row,
            operations: operations.collect(),
            never_well,
            audit,
            log: troubles(stage.stop().await),
        }
    }
}

impl Mix {
    fn new(app: &App) -> Self {
        let asked = operations().into_iter().map(|operation| {
            let measured = Mutex::new(Measured::new(&operation));
            Arc::new(Asked { operation, measured })
        });
        Self {
            address: app.address.clone(),
            http: app.http.clone(),
            asked: asked.collect(),
            ledger: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    fn start(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        let mut clients = Vec::new();
        for asked in &self.asked {
            for _ in 0..asked.operation.clients {
                clients.push(spawn(Arc::clone(self).ask_until_over(Arc::clone(asked))));
            }
        }
        clients
    }

    async fn ask_until_over(self: Arc<Self>, asked: Arc<Asked>) {
        let Asked { operation, measured } = &*asked;
        for number in 0.. {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let request = (operation.request)(&mut self.ledger.lock().unwrap(), number);
            if let Some(request) = request {
                let reply = request.send(&self.http, &self.address).await;
                (operation.note)(&mut self.ledger.lock().unwrap(), &request, &reply);
                measured.lock().unwrap().add(operation, &reply);
            }
            sleep(PAUSE).await;
        }
    }

    /// Leaves messages in flight, with a receiver that never returns, when the fault begins.
    async fn leave_messages_behind(&self) {
        for number in 0..5 {
            let message = format!("left-behind-{number}");
            let push = Request::new(Method::POST, "/api/queues/mails/messages").body(message.clone());
            assert_eq!(push.send(&self.http, &self.address).await.status, 200);
            self.ledger.lock().unwrap().queued.insert(message);
        }
        let all = "/api/queues/mails/messages/receive?max=100&visibility=2";
        let receive = Request::new(Method::POST, all);
        assert_eq!(receive.send(&self.http, &self.address).await.status, 200);
    }

    fn each(&self, change: impl Fn(&mut Measured)) {
        for asked in &self.asked {
            change(&mut asked.measured.lock().unwrap());
        }
    }

    /// The operations that have not recovered within this time.
    async fn until_well(&self, patience: Duration) -> Vec<&'static str> {
        let deadline = Instant::now() + patience;
        loop {
            let unwell = self.asked.iter().filter(|asked| {
                let waits = !asked.operation.waits.is_zero();
                !asked.measured.lock().unwrap().is_well(waits)
            });
            let unwell: Vec<_> = unwell.map(|asked| asked.operation.route).collect();
            if unwell.is_empty() || Instant::now() > deadline {
                return unwell;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn troubles(log: Vec<Value>) -> BTreeMap<String, usize> {
    let mut troubles = BTreeMap::new();
    let is_trouble = |line: &&Value| line["level"] == "WARN" || line["level"] == "ERROR";
    for line in log.iter().filter(is_trouble) {
        let words =
            ["level", "message", "reason", "error"].map(|name| line[name].as_str().unwrap_or_default());
        *troubles.entry(words.join(" ")).or_default() += 1;
    }
    troubles
}
