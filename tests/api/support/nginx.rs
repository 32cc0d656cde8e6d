//! An Nginx for one test, with the deployed configuration.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Stopped with the test.
pub struct Nginx {
    pub address: String,
    /// The port of HTTPS, if it has a certificate.
    #[allow(dead_code, reason = "tests/slow_clients has none")]
    pub tls_port: u16,
    directory: TempDir,
}

impl Nginx {
    /// In front of these addresses, whether they answer or not.
    pub fn before(upstreams: &[&str]) -> Self {
        Self::set(&[], upstreams)
    }

    /// With these settings, and `TLS_PORT`.
    pub fn set(settings: &[(&str, &str)], upstreams: &[&str]) -> Self {
        let ports = [free_port(), free_port()];
        let nginx = Self {
            address: format!("127.0.0.1:{}", ports[0]),
            tls_port: ports[1],
            directory: tempfile::tempdir().unwrap(),
        };
        let started = nginx.start_again(settings, upstreams);
        assert!(
            started.status.success(),
            "{}",
            String::from_utf8_lossy(&started.stderr)
        );
        nginx
    }

    /// Replaces the running one, as `make run` does.
    pub fn start_again(&self, settings: &[(&str, &str)], upstreams: &[&str]) -> Output {
        self.script("start", settings, &[&[self.address.as_str()], upstreams].concat())
    }

    /// Loads the current certificate and key.
    #[allow(dead_code, reason = "tests/slow_clients has no certificate")]
    pub fn renew(&self, settings: &[(&str, &str)]) -> Output {
        self.script("renew", settings, &[])
    }

    /// The directory of its runtime files.
    #[allow(dead_code, reason = "tests/slow_clients does not look")]
    pub fn prefix(&self) -> PathBuf {
        let prefix = std::fs::read_to_string(self.directory.path().join("prefix")).unwrap();
        PathBuf::from(prefix.trim())
    }

    fn script(&self, command: &str, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/nginx.sh");
        let mut command_line = Command::new(script);
        for name in ["TLS_CERTIFICATE", "TLS_KEY", "TRUSTED_PROXIES"] {
            command_line.env_remove(name); // whatever the shell has set
        }
        command_line
            .env("TLS_PORT", self.tls_port.to_string())
            .envs(settings.iter().copied())
            .args([command, self.directory.path().to_str().unwrap()])
            .args(arguments);
        command_line.output().unwrap()
    }

    /// The worker processes.
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

    /// Stops it, and returns its log lines.
    pub fn stop(self) -> Vec<String> {
        self.script("stop", &[], &[]);
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.script("stop", &[], &[]);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
