//! A Redis server for one test, to be stopped, killed and started again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use redis::Connection;

/// Stopped with the test.
pub struct Redis {
    pub url: String,
    directory: PathBuf,
    flags: Vec<&'static str>,
    environment: Vec<(&'static str, String)>,
}

impl Redis {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With flags of redis-server, such as `--appendfsync always`.
    pub fn with(flags: &[&'static str]) -> Self {
        Self::within(flags, &[])
    }

    /// With flags, and with environment variables such as `LD_PRELOAD`.
    pub fn within(flags: &[&'static str], environment: &[(&'static str, String)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("order-api-test-redis-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let url = script("start", &directory, flags, environment);
        Self {
            url,
            directory,
            flags: flags.to_vec(),
            environment: environment.to_vec(),
        }
    }

    /// The directory of its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The Unix socket that it listens on.
    pub fn socket(&self) -> PathBuf {
        self.url.strip_prefix("redis+unix://").unwrap().into()
    }

    pub fn set(&self, name: &str, value: &str) {
        let mut set = redis::cmd("CONFIG");
        let _: () = set
            .arg("SET")
            .arg(name)
            .arg(value)
            .query(&mut self.connect())
            .unwrap();
    }

    /// From now on the kernel accepts connections and data, and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.directory.join("pid")).unwrap();
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(pid.trim())
            .status();
        assert!(sent.unwrap().success());
    }

    pub fn connect(&self) -> Connection {
        redis::Client::open(self.url.as_str())
            .unwrap()
            .get_connection()
            .unwrap()
    }

    /// A clean stop.
    pub fn stop(&self) {
        script("stop", &self.directory, &[], &[]);
    }

    /// A kill, as in a power failure.
    pub fn kill(&self) {
        script("crash", &self.directory, &[], &[]);
    }

    pub fn start_again(&self) {
        assert_eq!(
            script("start", &self.directory, &self.flags, &self.environment),
            self.url
        );
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        script("discard", &self.directory, &[], &[]);
    }
}

fn script(verb: &str, directory: &Path, flags: &[&str], environment: &[(&str, String)]) -> String {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/redis.sh"))
        .arg(verb)
        .arg(directory)
        // Unless a flag says otherwise: a test must not see the files of others.
        .args(if verb == "start" {
            &["--appendfsync", "everysec"][..]
        } else {
            &[]
        })
        .args(flags)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
