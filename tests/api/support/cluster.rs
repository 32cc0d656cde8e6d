//! A PostgreSQL server of a test's own, to be stopped, killed and started again; durable, unlike the shared one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;

use super::database::connect;

/// Stopped with the test.
pub struct Cluster {
    pub url: String,
    directory: PathBuf,
}

impl Cluster {
    /// A new one, with all the tables.
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("order-api-test-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
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

    /// As an operator does it: connections are ended, data is written.
    pub fn stop(&self) {
        script("stop", &self.directory);
    }

    /// As a power cut does it.
    pub fn kill(&self) {
        script("kill", &self.directory);
    }

    pub fn start_again(&self) {
        assert_eq!(script("start", &self.directory), self.url);
        connect(&self.url).batch_execute("SELECT 1").unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        script("discard", &self.directory);
    }
}

fn script(verb: &str, directory: &Path) -> String {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres.sh"))
        .arg(verb)
        .arg(directory)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
