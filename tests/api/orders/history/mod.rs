//! Linearizability: random mixes of place, take, show and list on several instances at once, on a sound and on a
//! broken network. All answers must be those of one store with one client at a time.

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

/// Runs the mixes on this many instances, each on an empty table, with this fault or none.
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
fn one_instance_is_linearizable() {
    explain_all(1, None);
}

#[test]
fn two_instances_are_linearizable() {
    explain_all(2, None);
}

#[test]
fn three_instances_are_linearizable() {
    explain_all(3, None);
}

#[test]
fn instances_are_linearizable_while_postgresql_closes_connections() {
    explain_all(2, Some(Fault::Terminated));
}

#[test]
fn instances_are_linearizable_while_connections_are_reset() {
    explain_all(2, Some(Fault::Reset));
}

#[test]
fn instances_are_linearizable_while_connections_freeze() {
    explain_all(2, Some(Fault::Frozen));
}
