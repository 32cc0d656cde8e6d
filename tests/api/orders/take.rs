//! `PATCH /orders/<id>`.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::support::{App, TAKE};

#[rocket::async_test]
async fn an_order_is_taken_once() {
    let (app, database) = App::start();
    let id = app.place().await;
    let won = app.take(id).await;
    assert_eq!((won.status, won.body), (200, json!({"status": "SUCCESS"})));
    let lost = app.take(id).await;
    assert_eq!(lost.refusal(), (400, "order_taken"));
    assert_eq!(lost.error(), "Order 1 is already taken.");
    let taken = "SELECT count(*) AS number FROM orders WHERE status = 'TAKEN' AND taken_at IS NOT NULL";
    assert_eq!(database.number(taken), 1);
}

#[rocket::async_test]
async fn taking_one_order_leaves_the_others_free() {
    let (app, _database) = App::start();
    let (first, second) = (app.place().await, app.place().await);
    assert_eq!(app.take(second).await.status, 200);
    assert_eq!(app.take(first).await.status, 200);
}

#[rocket::async_test]
async fn a_taken_order_stays_on_its_page_so_the_index_does_not_grow() {
    let (app, database) = App::start();
    let pages = "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
                 SELECT 0, 0, 0, 0, 0 FROM generate_series(1, 500)";
    database.connect().batch_execute(pages).unwrap();
    for id in 1..=5 {
        assert_eq!(app.take(id).await.status, 200);
    }
    app.stop();
    database.wait_until_alone();
    let heap_only = "SELECT n_tup_hot_upd AS number FROM pg_stat_user_tables WHERE relname = 'orders'";
    assert_eq!(database.number(heap_only), 5);
}

#[rocket::async_test]
async fn an_order_that_does_not_exist_cannot_be_taken() {
    let (app, _database) = App::start();
    for id in ["1", "0", "-1", "9223372036854775807", "9223372036854775808"] {
        let refused = app.patch(&format!("/orders/{id}"), TAKE).await;
        assert_eq!(refused.refusal(), (400, "order_not_found"), "{id}");
        assert_eq!(refused.error(), format!("There is no order {id}."));
    }
}

#[rocket::async_test]
async fn an_id_that_is_not_an_integer_is_refused() {
    let (app, _database) = App::start();
    for id in ["abc", "1.5", "1e3", "1%00", "%ff", "1%20", "NaN", "1;DROP"] {
        let refused = app.patch(&format!("/orders/{id}"), TAKE).await;
        assert_eq!(refused.refusal(), (400, "invalid_id"), "{id}");
    }
}

#[rocket::async_test]
async fn any_other_body_is_refused_and_the_order_stays_free() {
    let (app, _database) = App::start();
    let id = app.place().await;
    for body in [
        "",
        "TAKEN",
        "{}",
        r#""TAKEN""#,
        r#"["TAKEN"]"#,
        r#"{"status": "taken"}"#,
        r#"{"status": "UNASSIGNED"}"#,
        r#"{"status": null}"#,
        r#"{"status": "TAKEN", "id": 1}"#,
        r#"{"status": "TAKEN", "status": "TAKEN"}"#,
        r#"{"status": "TAKEN\u0000"}"#,
    ] {
        let refused = app.patch(&format!("/orders/{id}"), body).await;
        assert_eq!(refused.refusal(), (400, "invalid_body"), "{body}");
    }
    assert_eq!(app.take(id).await.status, 200);
}

#[rocket::async_test]
async fn a_held_row_is_locked_at_once_and_free_again_later() {
    let (app, database) = App::start();
    let id = app.place().await;
    let mut psql = database.connect();
    psql.batch_execute("BEGIN; SELECT id FROM orders FOR UPDATE")
        .unwrap();
    let mut fastest = Duration::MAX; // of several, since the machine may be busy
    for _ in 0..5 {
        let asked = Instant::now();
        assert_eq!(app.take(id).await.refusal(), (400, "order_locked"));
        fastest = fastest.min(asked.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
    assert_eq!(
        app.get(&format!("/orders/{id}")).await.body["status"],
        "UNASSIGNED"
    );
    psql.batch_execute("ROLLBACK").unwrap();
    assert_eq!(app.take(id).await.status, 200);
}

#[rocket::async_test]
async fn a_statement_that_waits_too_long_is_canceled_and_leaves_nothing() {
    let (app, database) = App::start();
    let id = app.place().await;
    let mut psql = database.connect();
    psql.batch_execute("BEGIN; LOCK TABLE orders").unwrap();
    let refused = app.take(id).await;
    assert_eq!(refused.refusal(), (503, "database_unavailable"));
    psql.batch_execute("ROLLBACK").unwrap();
    assert_eq!(app.take(id).await.status, 200);
}
