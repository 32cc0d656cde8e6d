//! Orders that are served in batches: batching must not change answers, and overload is refused.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use rocket::futures::StreamExt;
use rocket::futures::future::join_all;
use rocket::futures::stream::FuturesUnordered;

use crate::support::{App, Database, TRIP, metric};

async fn place_many(app: &App, number: usize) -> Vec<i64> {
    join_all((0..number).map(|_| app.place())).await
}

#[rocket::async_test]
async fn concurrent_orders_have_distinct_ids() {
    let (app, database) = App::start();
    let mut ids = place_many(&app, 300).await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 300);
    assert_eq!(database.number("SELECT count(*) AS number FROM orders"), 300);
}

#[rocket::async_test]
async fn a_held_row_does_not_affect_its_neighbours() {
    let (app, database) = App::start();
    let ids = place_many(&app, 60).await;
    let mut psql = database.connect();
    let held = ids[30];
    let hold = format!("BEGIN; SELECT id FROM orders WHERE id = {held} FOR UPDATE");
    psql.batch_execute(&hold).unwrap();
    let answers = join_all(ids.iter().map(|id| app.take(*id))).await;
    for (id, answer) in ids.iter().zip(answers) {
        if *id == held {
            assert_eq!(answer.refusal(), (400, "order_locked"));
        } else {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

#[rocket::async_test]
async fn orders_shown_in_one_batch_are_the_requested_ones() {
    let (app, _database) = App::start();
    place_many(&app, 50).await;
    let paths: Vec<String> = (0..=50).map(|id| format!("/orders/{}", id + 1)).collect();
    let shown = join_all(paths.iter().map(|path| app.get(path))).await;
    let (missing, found) = shown.split_last().unwrap();
    for (id, answer) in (1..).zip(found) {
        assert_eq!((answer.status, answer.body["id"].as_i64()), (200, Some(id)));
    }
    assert_eq!(missing.refusal(), (404, "order_not_found"));
}

#[rocket::async_test]
async fn lists_in_one_batch_are_the_requested_ones() {
    let (app, _database) = App::start();
    place_many(&app, 30).await;
    let paths: Vec<String> = (1..=30)
        .map(|page| format!("/orders?page={page}&limit=1"))
        .collect();
    let lists = join_all(paths.iter().map(|path| app.get(path))).await;
    let ids: Vec<i64> = lists
        .iter()
        .map(|list| list.body[0]["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, (1..=30).rev().collect::<Vec<_>>());
}

/// The number of refusals for this reason, from the metrics.
async fn refused(app: &App, reason: &str) -> usize {
    let name = format!(r#"order_api_lane_refusals_total{{lane="place",reason="{reason}"}}"#);
    metric(app, &name).await
}

/// More than can wait in a lane and be in flight together.
const TOO_MANY: usize = 1500;
/// This many of them find the lane full.
const FULL: usize = TOO_MANY - 256 - 1024;

#[rocket::async_test]
async fn overload_is_refused_at_once_and_recovery_is_fast() {
    let database = Arc::new(Database::migrated());
    // Longer than it takes to ask: until the lock is released, there are only refusals.
    let app = App::on(&database)
        .with("DATABASE_STATEMENT_TIMEOUT_MS", "60000")
        .start();
    let mut psql = database.connect();
    psql.batch_execute("BEGIN; LOCK TABLE orders").unwrap();
    let mut asked: FuturesUnordered<_> = (0..TOO_MANY).map(|_| app.post("/orders", TRIP)).collect();
    for _ in 0..FULL {
        let answer = asked.next().await.unwrap();
        assert_eq!(answer.refusal(), (503, "overloaded"));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert!(refused(&app, "full").await >= FULL);
    psql.batch_execute("ROLLBACK").unwrap();

    let (mut placed, mut overloaded) = (0, FULL);
    while let Some(answer) = asked.next().await {
        match answer.refusal() {
            (200, "") => placed += 1,
            (503, "overloaded") => overloaded += 1,
            _ => panic!("{answer:?}"),
        }
    }
    assert!(placed > 0);
    assert_eq!(database.orders(), placed);
    let (full, late) = (refused(&app, "full").await, refused(&app, "late").await);
    assert_eq!(full + late, overloaded);
    assert_eq!(app.post("/orders", TRIP).await.status, 200);
}
