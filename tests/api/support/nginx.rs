//! An Nginx of a test's own, with the configuration that is deployed.

use std::net::TcpListener;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Stopped with the test.
pub struct Nginx {
    pub address: String,
    directory: TempDir,
}

impl Nginx {
    /// In front of these, whether there is anybody or not.
    pub fn before(upstreams: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        let started = script(&[&["start", path, &address], upstreams].concat());
        assert!(
            started.status.success(),
            "{}",
            String::from_utf8_lossy(&started.stderr)
        );
        Self { address, directory }
    }

    /// The processes that serve.
    #[allow(dead_code, reason = "tests/slow_clients asks")]
    pub fn workers(&self) -> Vec<u32> {
        let master = std::fs::read_to_string(self.directory.path().join("pid")).unwrap();
        let children = format!("/proc/{0}/task/{0}/children", master.trim());
        let children = std::fs::read_to_string(children).unwrap();
        children
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    /// Ends it, and returns the lines that it wrote.
    pub fn stop(self) -> Vec<String> {
        script(&["stop", self.directory.path().to_str().unwrap()]);
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        script(&["stop", self.directory.path().to_str().unwrap()]);
    }
}

fn script(arguments: &[&str]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/nginx.sh");
    Command::new(script).args(arguments).output().unwrap()
}
