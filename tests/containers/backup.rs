//! Backups.

use crate::stack::{assert_everything, compose, order, place, run, said, up, write_everything};

#[rocket::async_test]
async fn a_backup_restored_into_an_empty_stack_brings_everything_back() {
    up(1);
    let id = write_everything().await;
    let directory = std::env::temp_dir().join(format!("order-api-backup-{}", std::process::id()));
    let file = directory.join("backup.tar");
    let file = file.to_str().unwrap();
    run("scripts/backup.sh", &[file]);
    let later = place().await;

    let refused = said("make", &["restore", &format!("FILE={file}")]);
    assert!(refused.contains("OVERWRITE=yes"), "{refused}");

    compose(&["down", "--volumes"]);
    run("make", &["restore", &format!("FILE={file}")]);
    assert_everything(id).await;
    assert_eq!(order(later).await["code"], "order_not_found");
    assert!(place().await > id);
    std::fs::remove_dir_all(directory).unwrap();
}
