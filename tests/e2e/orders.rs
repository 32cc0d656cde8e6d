//! Orders through Nginx.

use reqwest::Client;
use rocket::futures::future::join_all;

use crate::{json, place, take, url};

#[rocket::async_test]
async fn an_order_is_placed_taken_shown_and_listed() {
    let client = Client::new();
    let id = place(&client).await;
    let won = take(&client, id).await;
    assert_eq!(won.status(), 200);
    assert_eq!(json(won).await["status"], "SUCCESS");
    let shown = client.get(url(&format!("/orders/{id}/"))).send().await.unwrap();
    assert_eq!(json(shown).await["status"], "TAKEN");
    let list = json(
        client
            .get(url("/orders/?page=1&limit=1000"))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert!(list.as_array().unwrap().iter().any(|order| order["id"] == id));
}

#[rocket::async_test]
async fn a_full_page_links_to_the_orders_after_it() {
    let client = Client::new();
    for _ in 0..3 {
        place(&client).await;
    }
    let first = client.get(url("/orders?page=1&limit=2")).send().await.unwrap();
    let link = first.headers()["Link"].to_str().unwrap().to_owned();
    let last = json(first).await[1]["id"].as_i64().unwrap();
    let path = format!("/orders?after={last}&limit=2");
    assert_eq!(link, format!("<{path}>; rel=\"next\""));
    let next = json(client.get(url(&path)).send().await.unwrap()).await;
    assert!(next[0]["id"].as_i64().unwrap() < last);
}

#[rocket::async_test]
async fn one_courier_in_a_hundred_wins() {
    let client = Client::new();
    let id = place(&client).await;
    let answers = join_all((0..100).map(|_| take(&client, id))).await;
    let won = answers.iter().filter(|answer| answer.status() == 200).count();
    let lost = answers.iter().filter(|answer| answer.status() == 400).count();
    assert_eq!((won, lost), (1, 99));
}

#[rocket::async_test]
async fn the_service_is_healthy() {
    let health = reqwest::get(url("/healthcheck")).await.unwrap();
    assert_eq!(health.status(), 200);
    assert_eq!(health.text().await.unwrap(), r#"{"status":"ok"}"#);
}
