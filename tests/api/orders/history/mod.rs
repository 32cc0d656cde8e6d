//! Random mixes of place, take, show and list on several instances at once: all that the clients are told is
//! what one store would have told them, asked by one client at a time.

mod by_hand;
mod checker;
mod clients;
mod operation;
mod shrink;
mod slow;

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use rocket::tokio::runtime::Runtime;

use self::checker::{Unexplained, unexplained};
use self::operation::table;
use crate::support::{App, Database};

const MIXES: u64 = 10;

/// Runs the mixes on so many instances, each on an empty table.
fn explain_all(instances: usize) {
    let database = Arc::new(Database::migrated());
    slow::change_slowly(&database);
    let runtime = Runtime::new().unwrap();
    let url = runtime.block_on(slow::far(&database));
    let app = || App::on(&database).with("DATABASE_URL", &url).start();
    let apps: Arc<[App]> = (0..instances).map(|_| app()).collect();
    let mut connection = database.connect();
    for seed in 0..MIXES {
        let empty = "TRUNCATE orders RESTART IDENTITY";
        connection.batch_execute(empty).unwrap();
        let history = runtime.block_on(clients::record(&apps, seed));
        if let Some(Unexplained { wrong, history }) = unexplained(history) {
            let (what, table) = (wrong.what, table(&history));
            panic!("seed {seed}: no single store could have answered this last: {what}\n{table}");
        }
    }
}

#[test]
fn what_one_instance_tells_is_explained_by_a_single_sequential_store() {
    explain_all(1);
}

#[test]
fn what_two_instances_tell_is_explained_by_a_single_sequential_store() {
    explain_all(2);
}

#[test]
fn what_three_instances_tell_is_explained_by_a_single_sequential_store() {
    explain_all(3);
}
