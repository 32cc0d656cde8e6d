//! A network and a PostgreSQL that break connections during requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::sleep;

use super::proxy::{Mode, Proxy, Upstream};
use super::slow;
use crate::support::{App, Database};

#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// `pg_terminate_backend` closes half of the connections, repeatedly.
    Terminated,
    /// One answer in four is cut off by a reset.
    Reset,
    /// Open connections are never answered again.
    Frozen,
}

/// Between the services and the database.
pub struct Trouble {
    pub url: String,
    proxy: Proxy,
    database: Arc<Database>,
}

impl Trouble {
    pub async fn before(database: &Arc<Database>) -> Self {
        let far = slow::far(database).await;
        let proxy = Proxy::start(Upstream::Unix(far)).await;
        let port = proxy.port;
        Self {
            url: format!("{}&host=127.0.0.1&port={port}&sslmode=disable", database.url),
            proxy,
            database: Arc::clone(database),
        }
    }

    /// Until the test ends.
    pub async fn make(&self, fault: Fault, is_over: Arc<AtomicBool>) {
        match fault {
            Fault::Terminated => {
                let database = Arc::clone(&self.database);
                spawn_blocking(move || terminate(&database, &is_over))
                    .await
                    .unwrap();
            }
            Fault::Reset => {
                self.proxy.set(Mode::Resets);
                while !is_over.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            Fault::Frozen => {
                sleep(Duration::from_millis(fastrand::u64(10..60))).await;
                self.proxy.set(Mode::Freezes);
                sleep(Duration::from_millis(200)).await;
            }
        }
        self.proxy.set(Mode::Passes);
    }

    /// Returns once these instances have recovered and none of their requests is in flight.
    pub async fn until_over(&self, apps: &[App]) {
        let deadline = Instant::now() + Duration::from_secs(15);
        for app in apps {
            while app.get("/orders?page=1&limit=1").await.status != 200 {
                assert!(Instant::now() < deadline, "not well again in 15 s");
            }
        }
        let at_work = "SELECT count(*) AS number FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
        while self.database.number(at_work) > 0 {
            assert!(
                Instant::now() < deadline,
                "PostgreSQL is still at work after 15 s"
            );
        }
    }
}

fn terminate(database: &Database, is_over: &AtomicBool) {
    let half = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'order-api' AND random() < 0.5";
    let mut connection = database.connect();
    while !is_over.load(Ordering::SeqCst) {
        connection.batch_execute(half).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}
