//! `GET /orders`.

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::support::App;

#[rocket::async_test]
async fn orders_are_listed_newest_first_page_by_page() {
    let (app, _database) = App::start();
    for _ in 0..5 {
        app.place().await;
    }
    app.take(4).await;
    let row = |id: i64, status| json!({"distance": 1_256_281, "id": id, "status": status});
    let (free, taken) = ("UNASSIGNED", "TAKEN");
    let first = app.get("/orders?page=1&limit=2").await;
    assert_eq!(first.body, json!([row(5, free), row(4, taken)]));
    let last = app.get("/orders?page=3&limit=2").await;
    assert_eq!(last.body, json!([row(1, free)]));
}

#[rocket::async_test]
async fn pages_of_any_depth_show_every_order_once_despite_missing_ids() {
    let (app, database) = App::start();
    let many = "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
                SELECT 0, 0, 0, 0, 0 FROM generate_series(1, 3000); DELETE FROM orders WHERE id % 3 = 0";
    database.connect().batch_execute(many).unwrap();
    let mut shown = Vec::new();
    for page in 1..=9 {
        let list = app.get(&format!("/orders?page={page}&limit=250")).await;
        let orders = list.body.as_array().unwrap().clone();
        shown.extend(orders.iter().map(|order| order["id"].as_i64().unwrap()));
    }
    let all: Vec<i64> = (1..=3000).rev().filter(|id| id % 3 != 0).collect();
    assert_eq!(shown, all);
}

#[rocket::async_test]
async fn the_first_order_is_alone_on_a_deep_page() {
    let (app, database) = App::start();
    let many = "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
                SELECT 0, 0, 0, 0, 0 FROM generate_series(1, 1001)";
    database.connect().batch_execute(many).unwrap();
    let last = app.get("/orders?page=2&limit=1000").await;
    assert_eq!(
        last.body,
        json!([{"distance": 0, "id": 1, "status": "UNASSIGNED"}])
    );
    assert_eq!(app.get("/orders?page=1002&limit=1").await.body, json!([]));
}

#[rocket::async_test]
async fn a_page_past_the_end_is_empty() {
    let (app, _database) = App::start();
    app.place().await;
    let digits = "9".repeat(100);
    for page in [
        "2",
        "1000000",
        "9223372036854775807",
        "9223372036854775808",
        &digits,
    ] {
        let empty = app.get(&format!("/orders?page={page}&limit=1000")).await;
        assert_eq!((empty.status, empty.body), (200, json!([])), "{page}");
    }
}

#[rocket::async_test]
async fn a_placed_order_is_in_the_next_list() {
    let (app, _database) = App::start();
    for _ in 0..50 {
        let id = app.place().await;
        let newest = app.get("/orders?page=1&limit=1").await;
        assert_eq!(newest.body[0]["id"], id);
    }
}

#[rocket::async_test]
async fn a_missing_or_wrong_page_is_refused() {
    let (app, _database) = App::start();
    for query in [
        "",
        "page=1",
        "limit=20",
        "page=&limit=20",
        "page=0&limit=20",
        "page=-1&limit=20",
        "page=abc&limit=20",
        "page=1.0&limit=20",
        "page=1&limit=9223372036854775808",
        "page=1&limit=0",
        "page=1&limit=1001",
        "page=1&limit=1e3",
        "page=1&limit=%2B5",
        "page=1&limit=2%00",
        "page=1&after=5&limit=20",
        "after=5",
        "after=&limit=20",
        "after=0&limit=20",
        "after=-1&limit=20",
        "after=abc&limit=20",
        "after=-9223372036854775809&limit=20",
        "after=5&limit=1001",
    ] {
        let refused = app.get(&format!("/orders?{query}")).await;
        assert_eq!(refused.refusal(), (400, "invalid_page"), "{query}");
    }
}

/// The index activity of one list of 50,000 orders: (entries read, rows fetched for them).
async fn index_reads(query: &str, newest: i64) -> (i64, i64) {
    let (app, database) = App::start();
    let many = "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
                SELECT 0, 0, 0, 0, n FROM generate_series(1, 50000) AS n";
    database.connect().batch_execute(many).unwrap();
    database
        .connect()
        .batch_execute("VACUUM (ANALYZE) orders")
        .unwrap();
    let list = app.get(&format!("/orders?{query}")).await;
    assert_eq!(list.body[0]["id"], newest);
    app.stop();
    // The statistics of a connection are counted when it closes.
    database.wait_until_alone();
    let scans = "SELECT seq_scan AS number FROM pg_stat_user_tables WHERE relname = 'orders'";
    assert_eq!(database.number(scans), 0);
    let index = |column| {
        let index = "FROM pg_stat_user_indexes WHERE indexrelname = 'orders_pkey'";
        database.number(&format!("SELECT {column} AS number {index}"))
    };
    (index("idx_tup_read"), index("idx_tup_fetch"))
}

#[rocket::async_test]
async fn a_page_reads_its_own_rows_from_the_index_and_no_others() {
    assert_eq!(index_reads("page=1&limit=20", 50_000).await, (20, 20));
}

#[rocket::async_test]
async fn orders_after_another_are_read_from_the_index_and_no_others() {
    assert_eq!(index_reads("after=1021&limit=20", 1020).await, (20, 20));
}

#[rocket::async_test]
async fn a_deep_page_skips_orders_in_the_index_and_reads_only_its_own_rows() {
    let (both_ends, skipped, itself) = (2, 48_980, 1);
    let read = index_reads("page=2450&limit=20", 1020).await;
    assert_eq!(read, (both_ends + skipped + itself + 20, 20));
}
