//! Slow lists next to other lists and changes.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use rocket::futures::future::{join, join_all};
use rocket::tokio::time::sleep;

use crate::support::{Answer, App, Database, TRIP};

/// This many orders; reading those whose ids `slow` names takes this many more seconds each.
fn slow_to_read(database: &Database, orders: i64, slow: &str, seconds: f64) {
    let sql = format!(
        "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
         SELECT 0, 0, 0, 0, 0 FROM generate_series(1, {orders});
         ALTER TABLE orders RENAME TO kept;
         CREATE FUNCTION nap(id bigint) RETURNS boolean LANGUAGE plpgsql AS
             'BEGIN IF {slow} THEN PERFORM pg_sleep({seconds}); END IF; RETURN true; END';
         CREATE VIEW orders AS SELECT * FROM kept WHERE nap(id)"
    );
    database.connect().batch_execute(&sql).unwrap();
}

async fn timed(app: &App, path: &str) -> (Answer, Duration) {
    let asked = Instant::now();
    let answer = app.get(path).await;
    (answer, asked.elapsed())
}

#[rocket::async_test]
async fn a_list_is_answered_when_it_is_ready_whatever_others_do() {
    let database = std::sync::Arc::new(Database::migrated());
    slow_to_read(&database, 1000, "id % 100 = 0", 1.5);
    let app = App::on(&database)
        .with("DATABASE_STATEMENT_TIMEOUT_MS", "5000")
        .start();
    let slow: Vec<String> = (1..=6)
        .map(|n| format!("/orders?after={}&limit=1", n * 100 + 1))
        .collect();
    let fast: Vec<String> = (1..=60)
        .map(|n| format!("/orders?after={}&limit=1", n * 10))
        .collect();
    let slow = join_all(slow.iter().map(|path| timed(&app, path)));
    let fast = join_all(fast.iter().map(|path| timed(&app, path)));
    let (slow, fast) = join(slow, fast).await;
    for (answer, _) in &slow {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    for (answer, took) in &fast {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(*took < Duration::from_millis(1400), "{took:?}");
    }
}

/// The time within which nine of ten orders are placed, of 100 that begin every 10 ms.
async fn placing_p90(app: &App) -> Duration {
    let one = |n: u64| async move {
        sleep(Duration::from_millis(10 * n)).await;
        let asked = Instant::now();
        let placed = app.post("/orders", TRIP).await;
        assert_eq!(placed.status, 200, "{placed:?}");
        asked.elapsed()
    };
    let mut took = join_all((0..100).map(one)).await;
    took.sort_unstable();
    took[89]
}

#[rocket::async_test]
async fn slow_deep_lists_delay_no_change_and_no_other_list() {
    let database = std::sync::Arc::new(Database::migrated());
    // Skipping 1,000 orders passes this one.
    slow_to_read(&database, 3000, "id = 2500", 0.3);
    let app = App::on(&database).start();
    let quiet = placing_p90(&app).await;
    let deep: Vec<String> = (21..=60)
        .map(|page| format!("/orders?page={page}&limit=50"))
        .collect();
    let deep = join_all(deep.iter().map(|path| app.get(path)));
    let newest = join_all((1..=40).map(|n| {
        let app = &app;
        async move {
            sleep(Duration::from_millis(25 * n)).await;
            timed(app, &format!("/orders?page={n}&limit=5")).await
        }
    }));
    let (deep, (busy, newest)) = join(deep, join(placing_p90(&app), newest)).await;
    assert!(
        busy < 3 * quiet.max(Duration::from_millis(50)),
        "{quiet:?}, then {busy:?}"
    );
    for (answer, took) in newest {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(took < Duration::from_millis(800), "{took:?}");
    }
    assert!(deep.iter().any(|answer| answer.status == 200));
    for answer in deep.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.refusal(), (503, "overloaded"));
    }
}

#[rocket::async_test]
async fn a_page_past_the_end_skips_nothing() {
    let database = std::sync::Arc::new(Database::migrated());
    slow_to_read(&database, 3000, "id = 2500", 2.0);
    let app = App::on(&database).start();
    for page in ["151", "100000", "9223372036854775808"] {
        let past = app.get(&format!("/orders?page={page}&limit=20")).await;
        assert_eq!((past.status, past.text.as_str()), (200, "[]"), "{page}");
    }
    let last = app.get("/orders?page=150&limit=20").await;
    assert_eq!(
        last.refusal(),
        (503, "database_unavailable"),
        "it has to skip them"
    );
}
