//! One `order-api serve`: a separate process on its own port.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tempfile::TempDir;

use super::{Database, TOKEN, client};

/// Killed with the test.
pub struct App {
    pub address: String,
    pub http: reqwest::Client,
    child: Child,
    log: Option<JoinHandle<Vec<Value>>>,
    logs: TempDir,
    _database: Option<Arc<Database>>,
}

/// The settings that a service starts with.
pub struct AppBuilder {
    variables: Vec<(String, String)>,
    database: Option<Arc<Database>>,
    logs: TempDir,
}

impl App {
    /// A service with its own migrated database.
    pub fn start() -> (Self, Arc<Database>) {
        let database = Arc::new(Database::migrated());
        (Self::on(&database).start(), database)
    }

    pub fn on(database: &Arc<Database>) -> AppBuilder {
        AppBuilder {
            variables: required(&database.url),
            database: Some(Arc::clone(database)),
            logs: tempfile::tempdir().unwrap(),
        }
    }

    pub fn on_url(url: &str) -> AppBuilder {
        AppBuilder {
            variables: required(url),
            database: None,
            logs: tempfile::tempdir().unwrap(),
        }
    }

    /// Its `LOG_DIR`, removed with it.
    pub fn logs(&self) -> &Path {
        self.logs.path()
    }

    #[allow(dead_code, reason = "tests/slow_clients asks")]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
    }

    /// The peak of its memory, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kibibytes: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        kibibytes * 1024
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Terminates it, and returns its whole log.
    pub fn stop(mut self) -> Vec<Value> {
        if self.child.try_wait().unwrap().is_none() {
            self.terminate();
        }
        let status = self.wait();
        assert!(status.success(), "{status}");
        self.log.take().unwrap().join().unwrap()
    }
}

/// The variables that every service requires.
pub fn required(database_url: &str) -> Vec<(String, String)> {
    let redis_url = std::env::var("REDIS_URL").expect("REDIS_URL is not set: run `make test`");
    [
        ("DATABASE_URL", database_url),
        ("REDIS_URL", &redis_url),
        ("API_TOKEN", TOKEN),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

impl AppBuilder {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The `LOG_DIR` that it will have.
    pub fn logs(&self) -> &Path {
        self.logs.path()
    }

    /// Starts it and returns once it listens.
    pub fn start(self) -> App {
        self.start_telling(Stdio::inherit())
    }

    /// As [`AppBuilder::start`], with standard error redirected there.
    pub fn start_telling(self, stderr: impl Into<Stdio>) -> App {
        // One and several threads in turn, as on small and large machines.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let threads = 1 + NUMBER.fetch_add(1, Ordering::Relaxed) % 2;
        let mut child = Command::new(env!("CARGO_BIN_EXE_order-api"))
            .arg("serve")
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("LOG_DIR", self.logs.path())
            .env("WORKER_THREADS", threads.to_string())
            .envs(self.variables)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, listening) = mpsc::channel();
        let log = thread::spawn(move || {
            let mut log = Vec::new();
            for line in lines.map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap();
                if let Some(address) = line["message"]
                    .as_str()
                    .unwrap()
                    .strip_prefix("listening on http://")
                {
                    sender.send(address.to_owned()).unwrap();
                }
                log.push(line);
            }
            log
        });
        let address = listening.recv().expect("the service ended before it listened");
        App {
            address,
            http: client::new(),
            child,
            log: Some(log),
            logs: self.logs,
            _database: self.database,
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
