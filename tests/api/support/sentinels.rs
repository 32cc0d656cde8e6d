//! A primary, two replicas, and three sentinels that watch them, as processes of one test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue};
use tempfile::TempDir;

/// The sentinels' name for the primary.
const NAME: &str = "orders";
/// Milliseconds without an answer after which a sentinel considers the primary down.
const DOWN_AFTER: u32 = 500;

/// Killed with the test.
pub struct Sentinels {
    /// The first is the initial primary.
    servers: Vec<Server>,
    sentinels: Vec<Server>,
}

struct Server {
    port: u16,
    child: Child,
    _files: TempDir,
}

impl Server {
    fn start(file: &str, arguments: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("redis.conf");
        let directory = files.path().to_str().unwrap();
        let all = format!("port {port}\nbind 127.0.0.1\ndir {directory}\n{file}\n");
        std::fs::write(&path, all).unwrap();
        let child = Command::new("redis-server")
            .arg(&path)
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            port,
            child,
            _files: files,
        }
    }

    fn connect(&self) -> Option<Connection> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        client.get_connection().ok()
    }

    fn ask<T: FromRedisValue>(&self, words: &[&str]) -> Option<T> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query(&mut self.connect()?).ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sentinels {
    /// Returns once all know each other.
    pub fn start() -> Self {
        let server = |more: &str| {
            Server::start(
                &format!("save \"\"\nappendonly yes\nrepl-diskless-sync-delay 0\n{more}"),
                &[],
            )
        };
        let primary = server("");
        let follow = format!("replicaof 127.0.0.1 {}", primary.port);
        let servers = vec![primary, server(&follow), server(&follow)];
        let watch = format!(
            "sentinel monitor {NAME} 127.0.0.1 {} 2\nsentinel down-after-milliseconds {NAME} {DOWN_AFTER}\n\
             sentinel failover-timeout {NAME} 5000",
            servers[0].port
        );
        let sentinels = (0..3).map(|_| Server::start(&watch, &["--sentinel"])).collect();
        let all = Self { servers, sentinels };
        let began = Instant::now();
        while !all.know_each_other() {
            assert!(began.elapsed() < Duration::from_secs(30));
            sleep(Duration::from_millis(50));
        }
        all
    }

    fn know_each_other(&self) -> bool {
        let number = |sentinel: &Server, what: &str| {
            let all: Option<Vec<redis::Value>> = sentinel.ask(&["SENTINEL", what, NAME]);
            all.map_or(0, |all| all.len())
        };
        let follow = self.servers[0].ask::<String>(&["INFO", "replication"]);
        let online = follow.map_or(0, |text| text.matches("state=online").count());
        let sentinels = &self.sentinels;
        online == 2
            && sentinels
                .iter()
                .all(|one| number(one, "REPLICAS") == 2 && number(one, "SENTINELS") == 2)
    }

    /// For `REDIS_URL`.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .sentinels
            .iter()
            .map(|one| format!("127.0.0.1:{}", one.port))
            .collect();
        format!("redis+sentinel://{}/{NAME}/0", hosts.join(","))
    }

    /// A kill, as in a power failure.
    pub fn kill_primary(&mut self) {
        self.servers[0].child.kill().unwrap();
    }

    /// Returns once most sentinels name another primary than the first, with a connection to it.
    pub fn wait_for_promotion(&self) -> Connection {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_secs(30));
            let named = |sentinel: &Server| -> Option<u16> {
                let (_, port): (String, u16) =
                    sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])?;
                (port != self.servers[0].port).then_some(port)
            };
            let named: Vec<u16> = self.sentinels.iter().filter_map(named).collect();
            let promoted = self
                .servers
                .iter()
                .find(|server| named.iter().filter(|port| **port == server.port).count() >= 2);
            if let Some(connection) = promoted.and_then(Server::connect) {
                return connection;
            }
            sleep(Duration::from_millis(5));
        }
    }
}
