//! The primary is lost under load, and the standby that follows it synchronously is promoted.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use rocket::futures::future::join_all;
use rocket::tokio::task::spawn_blocking;

use crate::support::{Answer, App, Cluster, TRIP};

/// From the promotion to the first order.
const WELL_WITHIN: Duration = Duration::from_millis(1500);

#[rocket::async_test]
async fn a_killed_primary_loses_nothing() {
    drill(Cluster::kill, |_| {}).await;
}

#[rocket::async_test]
async fn a_primary_that_freezes_and_returns_loses_nothing() {
    drill(Cluster::pause, Cluster::resume).await;
}

/// What the clients have been told.
#[derive(Default)]
struct Known {
    placed: Mutex<Vec<i64>>,
    taken: Mutex<Vec<i64>>,
    /// The primary is lost.
    lost: AtomicBool,
    finished: AtomicBool,
}

async fn drill(lose: fn(&Cluster), afterwards: fn(&Cluster)) {
    let primary = Arc::new(Cluster::start());
    let standby = Arc::new(primary.standby());
    let url = Cluster::url_of(&[&primary, &standby]);
    let apps = [0; 2].map(|_| App::on_url(&url).start());
    let known = Known::default();
    let clients = join_all((0..16).map(|number| client(&apps[number % 2], &known)));
    let operator = async {
        while known.taken.lock().unwrap().len() < 100 {
            apps[0].get("/livez").await;
        }
        known.lost.store(true, Ordering::SeqCst);
        let (lost, promoted) = (Arc::clone(&primary), Arc::clone(&standby));
        let failover = move || {
            lose(&lost);
            promoted.promote();
        };
        spawn_blocking(failover).await.unwrap();
        for well in join_all(apps.iter().map(App::until_well)).await {
            #[expect(
                clippy::print_stdout,
                reason = "with --nocapture: docs/OPERATIONS.md quotes these figures"
            )]
            {
                println!("{well:?} from the promotion to the first order");
            }
            assert!(well < WELL_WITHIN, "{well:?}");
        }
        let returned = Arc::clone(&primary);
        spawn_blocking(move || afterwards(&returned)).await.unwrap();
        let enough = known.placed.lock().unwrap().len() + 200;
        while known.placed.lock().unwrap().len() < enough {
            apps[0].get("/livez").await;
        }
        known.finished.store(true, Ordering::SeqCst);
    };
    rocket::tokio::join!(clients, operator);
    nothing_is_lost(&standby, &known);
}

/// Places orders, and tries to take the newest that any client has placed.
async fn client(app: &App, known: &Known) {
    while !known.finished.load(Ordering::SeqCst) {
        let placed = in_time(app.post("/orders", TRIP), known).await;
        known.placed.lock().unwrap().extend(placed.body["id"].as_i64());
        let newest = known.placed.lock().unwrap().last().copied();
        if let Some(id) = newest
            && in_time(app.take(id), known).await.status == 200
        {
            known.taken.lock().unwrap().push(id);
        }
    }
}

async fn in_time(answer: impl Future<Output = Answer>, known: &Known) -> Answer {
    let asked = Instant::now();
    let answer = answer.await;
    let expected = if known.lost.load(Ordering::SeqCst) {
        &[200, 400, 503][..]
    } else {
        &[200, 400]
    };
    assert!(expected.contains(&answer.status), "{answer:?}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    answer
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    status: String,
}

fn nothing_is_lost(server: &Cluster, known: &Known) {
    let mut connection = PgConnection::establish(&server.url).unwrap();
    let rows: Vec<Row> = sql_query("SELECT id, status FROM orders")
        .load(&mut connection)
        .unwrap();
    let kept: HashSet<i64> = rows.iter().map(|row| row.id).collect();
    let taken: HashSet<i64> = rows
        .iter()
        .filter(|row| row.status == "TAKEN")
        .map(|row| row.id)
        .collect();
    let (placed, won) = (known.placed.lock().unwrap(), known.taken.lock().unwrap());
    assert!(placed.iter().all(|id| kept.contains(id)), "an order was lost");
    assert!(won.iter().all(|id| taken.contains(id)), "a take was lost");
    assert_eq!(
        placed.iter().collect::<HashSet<_>>().len(),
        placed.len(),
        "an id was given twice"
    );
    assert_eq!(
        won.iter().collect::<HashSet<_>>().len(),
        won.len(),
        "an order was taken twice"
    );
}
