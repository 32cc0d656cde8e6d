//! Backups.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use rocket::tokio;
use rocket::tokio::time::sleep;

use crate::load::Load;
use crate::stack::{
    ask, assert_everything, command, compose, drain, order, place, push, run, said, succeeds, up,
    write_everything,
};

/// A directory for backups, removed with the test.
pub struct Shelf(PathBuf);

impl Shelf {
    pub fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("order-api-backup-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn restore(file: &str) -> String {
    said("make", &["restore", &format!("FILE={file}")])
}

#[rocket::async_test]
async fn a_backup_restored_into_an_empty_stack_restores_everything() {
    up(1);
    let shelf = Shelf::new("empty");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let later = place().await;

    let refused = restore(&file);
    assert!(refused.contains("OVERWRITE=yes"), "{refused}");
    // Refusing does not stop anything.
    assert_eq!(order(later).await["status"], "UNASSIGNED");
    assert_eq!(push("third").await, 200);

    compose(&["down", "--volumes"]);
    run("make", &["restore", &format!("FILE={file}")]);
    assert_everything(id).await;
    assert_eq!(order(later).await["code"], "order_not_found");
    assert!(place().await > id);
}

#[rocket::async_test]
async fn no_backup_is_made_while_a_store_is_down() {
    up(1);
    let shelf = Shelf::new("away");
    for store in ["order-api-redis", "order-api-db"] {
        compose(&["stop", store]);
        let said = said("scripts/backup.sh", &[&shelf.file("backup.tar")]);
        assert!(said.contains("No backup was made"), "{store}: {said}");
        assert_eq!(shelf.files(), 0, "{store}");
        compose(&["start", store]);
    }
    up(1);
}

#[rocket::async_test]
async fn a_damaged_backup_is_refused_and_nothing_is_changed() {
    up(1);
    let shelf = Shelf::new("damaged");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let whole = std::fs::read(&file).unwrap();
    for (name, bytes) in [
        ("cut off", &whole[..whole.len() / 2]),
        ("cut off in the first part", &whole[..600]),
        ("not a backup", b"Hello!".as_slice()),
    ] {
        std::fs::write(shelf.file("damaged.tar"), bytes).unwrap();
        assert!(
            !succeeds(
                "make",
                &["restore", &format!("FILE={}", shelf.file("damaged.tar"))]
            ),
            "{name}"
        );
    }
    assert_everything(id).await;
}

/// All messages of the queue, popped.
async fn numbers() -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(message) = crate::stack::pop().await.as_str() {
        numbers.push(message.parse().unwrap());
    }
    numbers
}

#[rocket::async_test]
async fn a_backup_taken_under_load_is_consistent_within_each_store() {
    up(1);
    drain().await;
    let shelf = Shelf::new("load");
    let file = shelf.file("backup.tar");
    let pushing = tokio::spawn(async {
        for number in 0.. {
            if push(&number.to_string()).await != 200 {
                return;
            }
        }
    });
    let load = Load::start();
    sleep(Duration::from_secs(1)).await;
    run("scripts/backup.sh", &[&file]);
    pushing.abort();
    let seen = load.stop().await;

    compose(&["down", "--volumes"]);
    run("make", &["restore", &format!("FILE={file}")]);
    // Each order of the backup was taken by at most one courier, and the messages are the first of those pushed.
    let mut there = 0;
    for (id, (won, _)) in seen.takes {
        if order(id).await["status"] == "TAKEN" {
            assert_eq!(won, 1, "order {id}");
            there += 1;
        }
    }
    assert!(there > 10, "{there}");
    let numbers = numbers().await;
    assert!(numbers.len() > 10, "{numbers:?}");
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
}

/// Starts a script in its own process group, and kills the group with SIGKILL after this time.
pub async fn killed(script: &str, argument: &str, after: Duration) {
    let mut child = command(script)
        .arg(argument)
        .env("OVERWRITE", "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    sleep(after).await;
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .status();
    child.wait().unwrap();
}

#[rocket::async_test]
async fn a_killed_restore_leaves_each_store_whole_and_can_be_run_again() {
    up(1);
    let shelf = Shelf::new("killed");
    let id = write_everything().await;
    let file = shelf.file("backup.tar");
    run("scripts/backup.sh", &[&file]);
    let later = place().await;
    for _ in 0..4 {
        killed(
            "scripts/restore.sh",
            &file,
            Duration::from_millis(fastrand::u64(500..9000)),
        )
        .await;
        up(1);
        // Before or after the restore, which differ in the later order; the value exists in both.
        let orders = (order(id).await, order(later).await);
        assert_eq!(orders.0["status"], "TAKEN");
        assert!(
            orders.1["status"] == "UNASSIGNED" || orders.1["code"] == "order_not_found",
            "{orders:?}"
        );
        assert_eq!(ask(Method::GET, "/get/kept", "").await.1["kept"], "as it was");
    }
    run(
        "env",
        &["OVERWRITE=yes", "make", "restore", &format!("FILE={file}")],
    );
    assert_everything(id).await;
    assert_eq!(order(later).await["code"], "order_not_found");
}

#[rocket::async_test]
async fn a_killed_backup_leaves_a_whole_file_or_none() {
    up(1);
    let shelf = Shelf::new("half");
    for _ in 0..4 {
        let file = shelf.file("backup.tar");
        killed(
            "scripts/backup.sh",
            &file,
            Duration::from_millis(fastrand::u64(200..4000)),
        )
        .await;
        if Path::new(&file).exists() {
            let parts = run("tar", &["--list", "--file", &file]);
            assert_eq!(parts, "postgres.dump\nredis.tar");
        }
    }
}
