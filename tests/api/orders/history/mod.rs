//! Random mixes of place, take, show and list on several instances at once, on a sound network and on a broken one:
//! all that the clients are told is what one store would have told them, asked by one client at a time.

mod by_hand;
mod by_hand_unknown;
mod checker;
mod clients;
mod faults;
mod operation;
#[path = "../../../faults/proxy.rs"]
#[allow(dead_code, reason = "tests/faults needs more of it")]
mod proxy;
mod shrink;
mod slow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use rocket::futures::future::{OptionFuture, join};
use rocket::tokio::runtime::Runtime;

use self::checker::{Unexplained, unexplained};
use self::faults::{Fault, Trouble};
use self::operation::{Operation, table};
use crate::support::{App, Database};

const MIXES: u64 = 10;

/// Runs the mixes on so many instances, each on an empty table, with this fault or none.
fn explain_all(instances: usize, fault: Option<Fault>) {
    let database = Arc::new(Database::migrated());
    slow::change_slowly(&database);
    let runtime = Runtime::new().unwrap();
    let trouble = runtime.block_on(Trouble::before(&database));
    let app = || App::on(&database).with("DATABASE_URL", &trouble.url).start();
    let apps: Arc<[App]> = (0..instances).map(|_| app()).collect();
    let mut connection = database.connect();
    let mut unknown = 0;
    for seed in 0..MIXES {
        let empty = "TRUNCATE orders RESTART IDENTITY";
        connection.batch_execute(empty).unwrap();
        let history = runtime.block_on(mix(&apps, seed, &trouble, fault));
        unknown += history.iter().filter(|one| one.what.is_unknown()).count();
        assert!(fault.is_some() || history.len() == clients::ASKED + 1);
        if let Some(Unexplained { wrong, history }) = unexplained(history) {
            let (what, table) = (wrong.what, table(&history));
            panic!("seed {seed}: no single store could have answered this last: {what}\n{table}");
        }
    }
    assert_eq!(unknown > 0, fault.is_some(), "{unknown} outcomes were unknown");
}

async fn mix(apps: &Arc<[App]>, seed: u64, trouble: &Trouble, fault: Option<Fault>) -> Vec<Operation> {
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = async {
        let history = clients::record(apps, seed).await;
        is_over.store(true, Ordering::SeqCst);
        history
    };
    let making = OptionFuture::from(fault.map(|fault| trouble.make(fault, Arc::clone(&is_over))));
    let (mut history, _) = join(asking, making).await;
    trouble.until_over(apps).await;
    clients::look_at_all(apps, &mut history).await;
    history
}

#[test]
fn what_one_instance_tells_is_explained_by_a_single_sequential_store() {
    explain_all(1, None);
}

#[test]
fn what_two_instances_tell_is_explained_by_a_single_sequential_store() {
    explain_all(2, None);
}

#[test]
fn what_three_instances_tell_is_explained_by_a_single_sequential_store() {
    explain_all(3, None);
}

#[test]
fn with_connections_ended_by_postgresql_what_is_told_is_explained() {
    explain_all(2, Some(Fault::Terminated));
}

#[test]
fn with_connections_reset_what_is_told_is_explained() {
    explain_all(2, Some(Fault::Reset));
}

#[test]
fn with_connections_frozen_what_is_told_is_explained() {
    explain_all(2, Some(Fault::Frozen));
}
