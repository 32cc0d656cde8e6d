//! Orders that are taken while other transactions hold rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use rocket::futures::future::join_all;
use rocket::tokio::join;
use rocket::tokio::time::sleep;

use crate::support::{Answer, App, Database, Far, metric};

const TAKE_LANE: &str = r#"order_api_lane_batch_items_count{lane="take"}"#;
const LATE: &str = r#"order_api_lane_refusals_total{lane="take",reason="late"}"#;

fn insert(database: &Database, number: usize) {
    let many = format!(
        "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
         SELECT 0, 0, 0, 0, 0 FROM generate_series(1, {number})"
    );
    database.connect().batch_execute(&many).unwrap();
}

/// Takes these at once; number 1 is held. The table is locked until the first waits for it, and all others for
/// the first.
async fn take_beside_a_held_row(app: &App, database: &Database, ids: &[i64]) -> Vec<Answer> {
    let mut psql = database.connect();
    let hold = "BEGIN; SELECT id FROM orders WHERE id = 1 FOR UPDATE; SAVEPOINT held; LOCK TABLE orders";
    psql.batch_execute(hold).unwrap();
    let takes = join_all(ids.iter().map(|id| app.take(*id)));
    let release = async {
        sleep(Duration::from_millis(150)).await;
        psql.batch_execute("ROLLBACK TO held").unwrap();
    };
    let (answers, ()) = join!(takes, release);
    psql.batch_execute("ROLLBACK").unwrap();
    answers
}

#[rocket::async_test]
async fn a_held_row_costs_its_batch_one_more_statement_and_delays_no_take() {
    let database = Arc::new(Database::migrated());
    insert(&database, 300);
    let far = Far::from(&database, Duration::from_millis(1)).await;
    let app = App::on(&database).with("DATABASE_URL", &far.url).start();
    app.take(300).await;
    let (batches, statements) = (metric(&app, TAKE_LANE).await, far.statements());
    let ids: Vec<i64> = (2..=256).chain([1]).collect();
    let answers = take_beside_a_held_row(&app, &database, &ids).await;
    let (held, free) = answers.split_last().unwrap();
    assert_eq!(held.refusal(), (400, "order_locked"));
    for answer in free {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let batches = metric(&app, TAKE_LANE).await - batches;
    let statements = far.statements() - statements;
    assert_eq!((statements, metric(&app, LATE).await), (batches + 1, 0));
}

#[rocket::async_test]
async fn each_order_of_a_batch_with_a_held_row_has_its_own_outcome() {
    let (app, database) = App::start();
    insert(&database, 30);
    app.take(2).await;
    // One that goes first and alone; then a held one, a taken one, a missing one, and others twice.
    let ids: Vec<i64> = [3, 1, 2, 99].into_iter().chain(3..=30).chain(3..=30).collect();
    let answers = take_beside_a_held_row(&app, &database, &ids).await;
    let codes: Vec<&str> = answers[1..4].iter().map(Answer::code).collect();
    assert_eq!(codes, ["order_locked", "order_taken", "order_not_found"]);
    let mut won = HashMap::new();
    for (id, answer) in ids.iter().zip(&answers).filter(|(id, _)| (3..=30).contains(*id)) {
        *won.entry(id).or_insert(0) += usize::from(answer.status == 200);
        assert!(
            answer.status == 200 || answer.code() == "order_taken",
            "{answer:?}"
        );
    }
    assert!(won.values().all(|wins| *wins == 1), "{won:?}");
    assert_eq!(app.take(1).await.status, 200);
}

#[rocket::async_test]
async fn a_taken_order_is_taken_even_while_held() {
    let (app, database) = App::start();
    let id = app.place().await;
    app.take(id).await;
    let mut psql = database.connect();
    psql.batch_execute("BEGIN; SELECT id FROM orders FOR UPDATE")
        .unwrap();
    assert_eq!(app.take(id).await.refusal(), (400, "order_taken"));
}

const ORDERS: i64 = 60;

/// Holds random rows until it is told to stop, and takes some of them; returns how many it took.
fn hold_at_random(database: &Database, stop: &AtomicBool) -> usize {
    let mut psql = database.connect();
    let mut won = 0;
    while !stop.load(Ordering::SeqCst) {
        let (first, last) = (fastrand::i64(1..=ORDERS), fastrand::i64(1..=ORDERS));
        let hold =
            format!("BEGIN; SELECT id FROM orders WHERE id IN ({first}, {last}) FOR UPDATE SKIP LOCKED");
        psql.batch_execute(&hold).unwrap();
        thread::sleep(Duration::from_micros(fastrand::u64(..3000)));
        if fastrand::u8(..20) == 0 {
            let take = "WITH free AS (SELECT id FROM orders WHERE id = $1 FOR UPDATE SKIP LOCKED) \
                        UPDATE orders SET status = 'TAKEN', taken_at = now() FROM free \
                        WHERE orders.id = free.id AND orders.status = 'UNASSIGNED'";
            let take = take.replace("$1", &first.to_string());
            won += sql_query(take).execute(&mut psql).unwrap();
        }
        psql.batch_execute("COMMIT").unwrap();
    }
    won
}

#[rocket::async_test]
async fn while_rows_are_held_each_order_has_one_winner() {
    let (first, database) = App::start();
    let second = App::on(&database).start();
    insert(&database, usize::try_from(ORDERS).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let holders: Vec<_> = (0..3)
        .map(|_| {
            let (database, stop) = (Arc::clone(&database), Arc::clone(&stop));
            thread::spawn(move || hold_at_random(&database, &stop))
        })
        .collect();
    let mut wins = 0;
    let mut locked = 0;
    let free = "SELECT count(*) AS number FROM orders WHERE status = 'UNASSIGNED'";
    while database.number(free) > 0 {
        let takes = (1..=ORDERS).flat_map(|id| [first.take(id), second.take(id), first.take(id)]);
        for answer in join_all(takes).await {
            wins += usize::from(answer.status == 200);
            locked += usize::from(answer.code() == "order_locked");
            assert!([200, 400].contains(&answer.status), "{answer:?}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    let theirs: usize = holders.into_iter().map(|holder| holder.join().unwrap()).sum();
    assert_eq!(wins + theirs, usize::try_from(ORDERS).unwrap());
    assert!(locked > 0);
}
