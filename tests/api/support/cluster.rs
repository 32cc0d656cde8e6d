//! A PostgreSQL server for one test, to be stopped, killed and started again; durable, unlike the shared one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;

use super::database::connect;
use super::{Proxy, Upstream};

/// Stopped with the test.
pub struct Cluster {
    pub url: String,
    directory: PathBuf,
}

impl Cluster {
    /// A new one, with all tables.
    pub fn start() -> Self {
        let directory = new_directory();
        let url = script("start", &directory);
        let cluster = Self { url, directory };
        let migrated = Command::new(env!("CARGO_BIN_EXE_order-api"))
            .arg("migrate")
            .env("DATABASE_URL", &cluster.url)
            .env("LOG_LEVEL", "warn")
            .status();
        assert!(migrated.unwrap().success());
        cluster
    }

    /// A standby of this one. From here on no commit is confirmed until the standby has it.
    pub fn standby(&self) -> Self {
        let directory = new_directory();
        run(script_of("standby", &directory).arg(&self.url));
        let standby = Self {
            url: script("start", &directory),
            directory,
        };
        let mut primary = connect(&self.url);
        for setting in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        ] {
            primary.batch_execute(setting).unwrap();
        }
        // A new connection each time: one that waits in a statement does not reload its configuration.
        let in_step = "SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while connect(&self.url).batch_execute(in_step).is_err() {}
        standby
    }

    /// Promotes the standby to primary.
    pub fn promote(&self) {
        connect(&self.url).batch_execute("SELECT pg_promote()").unwrap();
    }

    /// The URL of a server reachable at several hosts.
    pub fn url_of(clusters: &[&Self]) -> String {
        let sockets = clusters
            .iter()
            .map(|cluster| cluster.sockets().display().to_string());
        let hosts = sockets.collect::<Vec<_>>().join(",").replace('/', "%2F");
        format!("postgresql:///order_api?host={hosts}&port=5432&user=order_api")
    }

    fn sockets(&self) -> PathBuf {
        let file = self.directory.join("socket-dir");
        std::fs::read_to_string(file).unwrap().trim().into()
    }

    /// A proxy in front of it, and the URL that leads through it.
    pub fn behind_proxy(&self) -> (Proxy, String) {
        let proxy = Proxy::start(Upstream::Unix(self.sockets().join(".s.PGSQL.5432")));
        let url = format!("postgresql://order_api@{}/order_api", proxy.address);
        (proxy, url)
    }

    /// All its processes stop; the kernel keeps accepting connections for them.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        let Some(postmaster) = pid.lines().next() else {
            return;
        };
        // The postmaster first: once it has stopped, it starts no more children.
        send(signal, postmaster);
        while signal == "-STOP" && !is_stopped(postmaster) {}
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        for child in children.split_whitespace() {
            send(signal, child);
        }
    }

    /// Its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap()
    }

    /// A clean stop: connections are closed, data is written.
    pub fn stop(&self) {
        script("stop", &self.directory);
    }

    /// A kill, as in a power failure.
    pub fn kill(&self) {
        script("crash", &self.directory);
    }

    pub fn start_again(&self) {
        assert_eq!(script("start", &self.directory), self.url);
        connect(&self.url).batch_execute("SELECT 1").unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.resume();
        script("discard", &self.directory);
    }
}

fn new_directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("order-api-test-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

fn script(verb: &str, directory: &Path) -> String {
    run(&mut script_of(verb, directory))
}

fn script_of(verb: &str, directory: &Path) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres.sh"));
    command.arg(verb).arg(directory);
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn send(signal: &str, pid: &str) {
    let _ = Command::new("kill")
        .args([signal, pid])
        .stderr(Stdio::null())
        .status();
}

/// State T, after the name in parentheses (proc(5)); a process that is gone is stopped, too.
fn is_stopped(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    state.map_or(true, |state| state.contains(") T "))
}
