//! Certificates created with openssl.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A self-signed certificate for `localhost` and its key, removed with the test.
pub struct Certificate {
    directory: TempDir,
}

impl Certificate {
    pub fn make() -> Self {
        let made = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        made.renew();
        made
    }

    /// Replaces it with another one that has another key.
    pub fn renew(&self) {
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
        openssl(
            &[
                &[
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                ][..],
                &["-days", "2", "-subj", "/CN=localhost", "-addext", names],
                &["-keyout", &key, "-out", &certificate],
            ]
            .concat(),
        );
    }

    /// One of RSA, with a key of so many bits, beside the others: its certificate and its key.
    pub fn of_rsa(&self, bits: u32) -> [String; 2] {
        let [certificate, key] = ["certificate", "key"].map(|name| self.path(&format!("{name}-{bits}.pem")));
        let kind = format!("rsa:{bits}");
        let made = [
            "req",
            "-x509",
            "-newkey",
            &kind,
            "-nodes",
            "-subj",
            "/CN=localhost",
        ];
        openssl(&[&made[..], &["-keyout", &key, "-out", &certificate]].concat());
        [certificate, key]
    }

    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Another file in the same directory.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The settings that name it.
    pub fn settings(&self) -> Settings {
        Settings([self.path("certificate.pem"), self.path("key.pem")])
    }

    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

pub struct Settings([String; 2]);

impl Settings {
    pub fn get(&self) -> [(&str, &str); 2] {
        [("TLS_CERTIFICATE", &self.0[0]), ("TLS_KEY", &self.0[1])]
    }
}

pub fn openssl(arguments: &[&str]) -> String {
    let done = Command::new("openssl").args(arguments).output().unwrap();
    assert!(
        done.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}
