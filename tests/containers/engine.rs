//! The Docker engine itself stops and returns. `RESTART_ENGINE=yes make test-containers` runs this too, as root: it
//! also stops all other containers of the machine for that time.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::stack::{SERVICES, assert_everything, run, succeeds, until_health, up, write_everything};

fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        sleep(Duration::from_millis(200));
    }
}

/// The engine, and how to start it again; it always runs in the end.
enum Engine {
    Systemd,
    /// Manually: with these arguments, and this file for its output.
    Process {
        arguments: Vec<String>,
        log: PathBuf,
    },
}

impl Engine {
    fn find() -> Self {
        if Path::new("/run/systemd/system").exists() {
            return Self::Systemd;
        }
        let process = pid();
        let arguments = fs::read_to_string(process.join("cmdline")).unwrap();
        Self::Process {
            arguments: arguments.split_terminator('\0').map(str::to_owned).collect(),
            log: fs::read_link(process.join("fd/1")).unwrap(),
        }
    }

    fn restart(&self) {
        match self {
            Self::Systemd => _ = run("systemctl", &["restart", "docker"]),
            Self::Process { .. } => {
                let process = pid();
                run("kill", &[process.file_name().unwrap().to_str().unwrap()]);
                let ended = || fs::read(process.join("cmdline")).is_ok_and(|line| line.is_empty());
                until("the engine does not end", || !process.exists() || ended());
                self.start();
            }
        }
        until("the engine does not answer", || succeeds("docker", &["info"]));
    }

    fn start(&self) {
        match self {
            Self::Systemd => _ = run("systemctl", &["start", "docker"]),
            Self::Process { arguments, log } => {
                let log = OpenOptions::new().append(true).open(log).unwrap();
                let mut engine = Command::new("setsid");
                engine.arg("--fork").args(arguments).stdin(Stdio::null());
                engine.stdout(log.try_clone().unwrap()).stderr(log);
                assert!(engine.status().unwrap().success());
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !succeeds("docker", &["info"]) {
            self.start();
        }
    }
}

/// Its directory in `/proc`.
fn pid() -> PathBuf {
    let pid = fs::read_to_string("/var/run/docker.pid").unwrap();
    Path::new("/proc").join(pid.trim())
}

#[rocket::async_test]
#[ignore = "restarts the Docker engine: RESTART_ENGINE=yes make test-containers"]
async fn everything_recovers_after_a_restart_of_the_engine() {
    up(2);
    let id = write_everything().await;
    let engine = Engine::find();
    engine.restart();
    for service in SERVICES {
        until_health(service, "healthy").await;
    }
    assert_everything(id).await;
}
