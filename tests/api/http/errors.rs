//! Error bodies, wrong paths, wrong methods.

use reqwest::Method;

use crate::support::{App, TRIP};

#[rocket::async_test]
async fn an_error_body_has_a_sentence_a_code_and_the_request_id() {
    let (app, _database) = App::start();
    let refused = app.get("/orders/7").await;
    let members: Vec<&String> = refused.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "error", "request_id"]);
    assert_eq!(
        refused.body["request_id"].as_str(),
        refused.header("x-request-id")
    );
    assert_eq!(refused.header("content-type"), Some("application/json"));
}

#[rocket::async_test]
async fn an_unknown_path_is_not_found() {
    let (app, _database) = App::start();
    for path in [
        "/",
        "/order",
        "/orders/1/2",
        "/orders.json",
        "/ORDERS",
        "/%zz",
        "/../etc/passwd",
    ] {
        assert_eq!(app.get(path).await.refusal(), (404, "not_found"), "{path}");
    }
}

#[rocket::async_test]
async fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let (app, _database) = App::start();
    for (method, path, allow) in [
        (Method::DELETE, "/orders", "GET, HEAD, POST"),
        (Method::PUT, "/orders/1", "GET, HEAD, PATCH"),
        (Method::POST, "/orders/1/", "GET, HEAD, PATCH"),
        (Method::OPTIONS, "/healthcheck", "GET, HEAD"),
    ] {
        let refused = app.send(method, path, "").await;
        assert_eq!(refused.refusal(), (405, "method_not_allowed"), "{path}");
        assert_eq!(refused.header("allow"), Some(allow));
    }
}

#[rocket::async_test]
async fn an_unknown_method_is_answered_in_json_too() {
    let (app, _database) = App::start();
    let refused = app
        .send(Method::from_bytes(b"BREW").unwrap(), "/orders", "")
        .await;
    assert_eq!(refused.refusal(), (501, "not_implemented"));
    assert_eq!(
        refused.body["request_id"].as_str(),
        refused.header("x-request-id")
    );
}

#[rocket::async_test]
async fn a_trailing_slash_never_matters() {
    let (app, _database) = App::start();
    assert_eq!(app.post("/orders/", TRIP).await.status, 200);
    for path in [
        "/orders/?page=1&limit=1",
        "/orders/1/",
        "/orders/1//",
        "/healthcheck/",
    ] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[rocket::async_test]
async fn a_body_never_changes_the_method() {
    let (app, _database) = App::start();
    let url = format!("http://{}/orders", app.address);
    let form = app
        .http
        .post(url)
        .header("Content-Type", "application/x-www-form-urlencoded");
    let refused = app.answer(form.body("_method=delete")).await;
    assert_eq!(refused.refusal(), (400, "invalid_body"));
}

#[rocket::async_test]
async fn a_head_request_is_a_get_without_the_body() {
    let (app, _database) = App::start();
    let head = app.send(Method::HEAD, "/healthcheck", "").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("15")));
}
