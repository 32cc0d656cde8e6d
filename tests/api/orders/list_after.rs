//! `GET /orders?after=`, and the `Link` to it.

use rocket::tokio::join;

use crate::support::{Answer, App};

/// The path of the `Link` to the next list.
fn next(list: &Answer) -> Option<&str> {
    let link = list.header("Link")?.strip_prefix('<').unwrap();
    Some(link.strip_suffix(">; rel=\"next\"").unwrap())
}

fn ids(list: &Answer) -> Vec<i64> {
    assert_eq!(list.status, 200);
    let orders = list.body.as_array().unwrap().iter();
    orders.map(|order| order["id"].as_i64().unwrap()).collect()
}

/// Follows `next` from the first page to the end; returns the ids in that order.
async fn walk(app: &App, limit: usize) -> Vec<i64> {
    let mut list = app.get(&format!("/orders?page=1&limit={limit}")).await;
    let mut seen = ids(&list);
    while let Some(path) = next(&list) {
        list = app.get(path).await;
        seen.extend(ids(&list));
    }
    seen
}

#[rocket::async_test]
async fn orders_after_an_id_are_older_than_it_newest_first() {
    let (app, _database) = App::start();
    for _ in 0..5 {
        app.place().await;
    }
    assert_eq!(ids(&app.get("/orders?after=4&limit=2").await), [3, 2]);
    assert_eq!(ids(&app.get("/orders/?after=3&limit=1000").await), [2, 1]);
    for larger_than_any in ["9223372036854775807", "9223372036854775808", &"9".repeat(100)] {
        let newest = app.get(&format!("/orders?after={larger_than_any}&limit=1")).await;
        assert_eq!(ids(&newest), [5], "{larger_than_any}");
    }
    assert!(ids(&app.get("/orders?after=1&limit=2").await).is_empty());
    let (page, after) = ("/orders?page=2&limit=2", "/orders?after=4&limit=2");
    assert_eq!(app.get(after).await.body, app.get(page).await.body);
}

#[rocket::async_test]
async fn a_full_page_links_to_the_next_and_a_short_one_does_not() {
    let (app, _database) = App::start();
    for _ in 0..3 {
        app.place().await;
    }
    for (query, path) in [
        ("page=1&limit=2", Some("/orders?after=2&limit=2")),
        ("page=3&limit=1", Some("/orders?after=1&limit=1")),
        ("after=3&limit=1", Some("/orders?after=2&limit=1")),
        ("page=2&limit=2", None),
        ("after=1&limit=2", None),
    ] {
        let list = app.get(&format!("/orders?{query}")).await;
        assert_eq!(next(&list), path, "{query}");
    }
}

#[rocket::async_test]
async fn following_next_shows_every_order_once_while_others_are_placed() {
    let (app, _database) = App::start();
    for _ in 0..50 {
        app.place().await;
    }
    let place = async {
        for _ in 0..50 {
            app.place().await;
        }
    };
    let (seen, ()) = join!(walk(&app, 3), place);
    let before: Vec<i64> = (1..=50).rev().collect();
    assert!(seen.ends_with(&before), "{seen:?}");
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
}
