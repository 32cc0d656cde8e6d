//! A stack with its own settings.

use std::process::{Command, Output};

use tempfile::TempDir;

use crate::stack::{containers, run, up};

/// A stack with its own settings; the next `up` is without them again.
pub struct Stack {
    settings: Vec<(&'static str, String)>,
    directory: TempDir,
}

impl Stack {
    pub fn new(settings: &[(&'static str, &str)]) -> Self {
        Self {
            settings: settings
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// With a certificate for `localhost`.
    pub fn with_certificate() -> Self {
        let mut stack = Self::new(&[]);
        stack.make_certificate();
        stack.settings = vec![
            ("TLS_CERTIFICATE", stack.path("certificate.pem")),
            ("TLS_KEY", stack.path("key.pem")),
        ];
        stack
    }

    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Replaces the certificate with a new one that has a new key.
    pub fn make_certificate(&self) {
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        let curve = "ec_paramgen_curve:P-256";
        let made = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-days", "2",
        ];
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
        let named = ["-subj", "/CN=localhost", "-addext", names];
        run(
            "openssl",
            &[&made[..], &named, &["-keyout", &key, "-out", &certificate]].concat(),
        );
    }

    pub fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let settings = self.settings.iter().map(|(name, value)| (name, value));
        Command::new(program)
            .args(arguments)
            .envs(settings)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap()
    }

    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let done = self.output(program, arguments);
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        assert!(done.status.success(), "{program} {arguments:?}: {out}{err}");
        out.into_owned()
    }

    /// curl's output for this request over HTTPS, including the head.
    pub fn curl(&self, path: &str) -> String {
        let (certificate, url) = (self.path("certificate.pem"), https(path));
        run(
            "curl",
            &[
                "--silent",
                "--show-error",
                "--include",
                "--cacert",
                &certificate,
                &url,
            ],
        )
        .to_ascii_lowercase()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            up(1);
        }
    }
}

pub fn https(path: &str) -> String {
    let port = std::env::var("TLS_PORT").expect("TLS_PORT is not set: run `make test-containers`");
    format!("https://localhost:{port}{path}")
}

pub fn nginx() -> String {
    containers("order-api-nginx")[0].clone()
}
