//! The queue and the key-value space through Nginx, with the token in `API_TOKEN`.

use reqwest::{Client, Method, Response};
use serde_json::json;

use crate::{json, url};

async fn authorized(method: Method, path: &str, body: Vec<u8>) -> Response {
    let token = std::env::var("API_TOKEN").expect("API_TOKEN is not set: run `make test` or `make test-e2e`");
    let request = Client::new().request(method, url(path)).bearer_auth(token);
    request.body(body).send().await.unwrap()
}

#[rocket::async_test]
async fn a_message_of_one_mebibyte_is_pushed_and_one_popped() {
    let pushed = authorized(Method::POST, "/api/queue/push", vec![b'x'; 1024 * 1024]).await;
    assert_eq!(pushed.status(), 200);
    let popped = authorized(Method::POST, "/api/queue/pop", Vec::new()).await;
    assert!(json(popped).await["message"].is_string());
}

#[rocket::async_test]
async fn a_value_of_one_mebibyte_in_its_longest_json_is_returned() {
    let value = "\u{1}".repeat(1024 * 1024);
    let body = json!({"id": "e2e", "data": value}).to_string();
    let set = authorized(Method::POST, "/set/", body.into()).await;
    assert!([200, 201].contains(&set.status().as_u16()));
    let got = authorized(Method::GET, "/get/e2e", Vec::new()).await;
    assert!(json(got).await["e2e"] == value);
}

#[rocket::async_test]
async fn without_a_token_it_is_401() {
    let refused = Client::new()
        .post(url("/api/queue/push"))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(json(refused).await["error"], "Unauthorized access!");
}
