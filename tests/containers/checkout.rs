//! A checkout of the repository in another directory, owned by another user, with its own stack.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use crate::stack::{Place, compose, move_to, run};

/// From here on all commands and requests use this checkout; it is removed with the test, including its volumes.
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// With these lines in its `.env`, which the first command completes.
    pub fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("order-api-{name}"));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        let checkout = Self { root: root.clone() };
        // Docker's build inputs keep their mode, to reuse the build cache; the umask applies to the rest.
        let script = "umask 077 && chmod 700 \"$1\" && git ls-files -z --cached --others --exclude-standard |
            tar --create --null --files-from=- --ignore-failed-read | tar --extract --no-same-owner --directory=\"$1\" &&
            cd \"$1\" && chmod -R go+rX .cargo Cargo.* loadtests migrations src start.sh && chown -R \"$2\" .";
        run("bash", &["-c", script, "bash", root.to_str().unwrap(), &user()]);
        let (port, prometheus) = (free_port(), free_port());
        move_to(Some(Place {
            root: root.clone(),
            port,
            runner: runner(),
            environment: vec![
                ("COMPOSE_PROJECT_NAME", format!("order-api-{name}")),
                ("PORT", port.to_string()),
                ("PROMETHEUS_PORT", prometheus.to_string()),
                ("HOME", root.to_str().unwrap().to_owned()),
            ],
        }));
        compose(&["down", "--volumes"]);
        checkout
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let down = crate::stack::command("scripts/compose.sh")
            .args(["--progress", "quiet", "down", "--volumes", "--timeout", "5"])
            .status();
        move_to(None);
        let _ = std::fs::remove_dir_all(&self.root);
        assert!(down.unwrap().success() || std::thread::panicking());
    }
}

fn is_root() -> bool {
    stdout("id", &["-u"]) == "0"
}

/// An ordinary user in the group `docker`. Tests that cannot switch users run as one already.
fn user() -> String {
    if is_root() {
        let group = stdout("stat", &["--format", "%g", "/var/run/docker.sock"]);
        format!("54321:{group}")
    } else {
        format!("{}:{}", stdout("id", &["-u"]), stdout("id", &["-g"]))
    }
}

/// The command prefix that switches to that user, with a restrictive umask.
fn runner() -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    if is_root() {
        let user = user();
        let (user, group) = user.split_once(':').unwrap();
        words.extend(
            [
                "setpriv",
                "--reuid",
                user,
                "--regid",
                group,
                "--clear-groups",
                "--bounding-set=-all",
                "--",
            ]
            .map(str::to_owned),
        );
    }
    words.extend(["sh", "-c", "umask 077; exec \"$@\"", "sh"].map(str::to_owned));
    words
}

fn stdout(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
