//! `GET /orders/<id>`.

use serde_json::{Value, json};

use crate::support::App;

#[rocket::async_test]
async fn an_order_is_shown_with_all_members() {
    let (app, _database) = App::start();
    let id = app.place().await;
    let shown = app.get(&format!("/orders/{id}")).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body["id"], id);
    assert_eq!(shown.body["distance"], 1_256_281);
    assert_eq!(shown.body["status"], "UNASSIGNED");
    assert_eq!(shown.body["origin"], json!([50.456399, 12.70758]));
    assert_eq!(shown.body["destination"], json!([59.436487, 24.747193]));
    assert!(shown.body["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(shown.body["taken_at"], Value::Null);
}

#[rocket::async_test]
async fn a_taken_order_says_so() {
    let (app, _database) = App::start();
    let id = app.place().await;
    app.take(id).await;
    let shown = app.get(&format!("/orders/{id}")).await;
    assert_eq!(shown.body["status"], "TAKEN");
    assert!(shown.body["taken_at"].as_str() >= shown.body["created_at"].as_str());
}

#[rocket::async_test]
async fn an_order_that_does_not_exist_is_not_found() {
    let (app, _database) = App::start();
    for id in ["1", "0", "-1", "9223372036854775808"] {
        let refused = app.get(&format!("/orders/{id}")).await;
        assert_eq!(refused.refusal(), (404, "order_not_found"), "{id}");
    }
}

#[rocket::async_test]
async fn an_id_that_is_not_an_integer_is_refused() {
    let (app, _database) = App::start();
    for id in ["abc", "1.0", "%20", "%F0%9F%98%80"] {
        let refused = app.get(&format!("/orders/{id}")).await;
        assert_eq!(refused.refusal(), (400, "invalid_id"), "{id}");
    }
}
