//! A PostgreSQL or Redis server for one episode, on its own disk; Redis also with its own clock.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use reqwest::Url;

use crate::clock::Clock;
use crate::disk::Disk;

/// Stopped with the test.
pub struct Server {
    script: &'static str,
    directory: PathBuf,
    flags: Vec<&'static str>,
    url: String,
    /// Only for Redis.
    clock: Option<Clock>,
    disk: Disk,
}

impl Server {
    /// Durable, with all tables and this number of orders.
    pub fn postgres(orders: u32) -> Self {
        let server = Self::start("postgres.sh", vec![]);
        let migrated = Command::new(env!("CARGO_BIN_EXE_order-api"))
            .arg("migrate")
            .env("DATABASE_URL", &server.url)
            .env("LOG_LEVEL", "warn")
            .status();
        assert!(migrated.unwrap().success());
        server.sql(&format!(
            "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
             SELECT 0, 0, 1, 1, number FROM generate_series(1, {orders}) number"
        ));
        server
    }

    pub fn redis(flags: &[&'static str]) -> Self {
        Self::start("redis.sh", flags.to_vec())
    }

    fn start(script: &'static str, flags: Vec<&'static str>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("order-api-faults-{}-{number}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let mut server = Self {
            script,
            directory: place.join("server"),
            flags,
            url: String::new(),
            clock: (script == "redis.sh").then(Clock::new),
            disk: Disk::mounted(&place),
        };
        server.url = server.run("start").unwrap();
        server
    }

    /// The Unix socket that the server listens on.
    pub fn socket(&self) -> PathBuf {
        if let Some(path) = self.url.strip_prefix("redis+unix://") {
            return path.into();
        }
        let url = Url::parse(&self.url).unwrap();
        let host = url.query_pairs().find(|(name, _)| name == "host").unwrap().1;
        PathBuf::from(&*host).join(".s.PGSQL.5432")
    }

    /// A clean stop.
    pub fn stop(&self) {
        self.run("stop").unwrap();
    }

    /// A kill, as in a power failure.
    pub fn kill(&self) {
        self.run("crash").unwrap();
    }

    /// No effect if it is running.
    pub fn start_again(&self) {
        assert_eq!(self.run("start").unwrap(), self.url);
    }

    pub fn set_clock_back(&self, seconds: i64) {
        self.clock.as_ref().unwrap().shift(-seconds);
    }

    pub fn fill_disk(&self) {
        self.disk.fill();
    }

    pub fn make_room(&self) {
        self.disk.make_room();
    }

    pub fn sql(&self, statement: &str) {
        let mut connection = PgConnection::establish(&self.url).unwrap();
        connection.batch_execute(statement).unwrap();
    }

    pub fn command(&self, words: &[&str]) {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let client = redis::Client::open(self.url.as_str()).unwrap();
        command.exec(&mut client.get_connection().unwrap()).unwrap();
    }

    /// Its output, or its error.
    fn run(&self, verb: &str) -> Result<String, String> {
        let script = format!("{}/scripts/{}", env!("CARGO_MANIFEST_DIR"), self.script);
        let words: Vec<String> = self
            .disk
            .through()
            .into_iter()
            .chain([script, verb.to_owned()])
            .collect();
        let flags: &[&str] = if verb == "start" { &self.flags } else { &[] };
        let output = Command::new(&words[0])
            .args(&words[1..])
            .arg(&self.directory)
            .args(flags)
            .envs(self.clock.iter().flat_map(Clock::variables))
            .output()
            .unwrap();
        let [told, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let told = output.status.success().then(|| told.trim().to_owned());
        told.ok_or_else(|| format!("{} {verb}: {error}", self.script))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.run("discard");
    }
}
