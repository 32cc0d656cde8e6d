//! `/set`, `/add` and `/get/<key>`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, TOKEN};

async fn write(app: &App, path: &str, body: Value) -> Answer {
    app.authorized(Method::POST, path, body.to_string()).await
}

async fn get(app: &App, key: &str) -> Answer {
    app.authorized(Method::GET, &format!("/get/{key}"), "").await
}

/// A unique key: all tests share one Redis.
fn key(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

#[rocket::async_test]
async fn a_new_id_is_201_and_an_old_one_200() {
    let (app, _database) = App::start();
    let id = key("new");
    for (data, status) in [("one", 201), ("two", 200)] {
        let set = write(&app, "/set", json!({"id": id, "data": data})).await;
        assert_eq!((set.status, set.body), (status, json!({"status": "ok"})));
        assert_eq!(get(&app, &id).await.body, json!({id.clone(): data}));
    }
}

#[rocket::async_test]
async fn get_reads_what_add_writes() {
    let (app, _database) = App::start();
    let key = key("added");
    let added = write(&app, "/add", json!({"key": key, "value": "one"})).await;
    let expected = json!({"message": "Data added successfully!", "status": "OK!"});
    assert_eq!((added.status, added.body), (200, expected));
    assert_eq!(get(&app, &key).await.body, json!({key.clone(): "one"}));
}

#[rocket::async_test]
async fn a_missing_key_is_not_found() {
    let (app, _database) = App::start();
    assert_eq!(get(&app, &key("nobody")).await.refusal(), (404, "key_not_found"));
}

#[rocket::async_test]
async fn any_text_can_be_a_key_or_a_value() {
    let (app, _database) = App::start();
    for (sent, path) in [
        ("a/b", "a%2Fb"),
        ("é ?#%", "%C3%A9%20%3F%23%25"),
        ("\0\n\"", "%00%0A%22"),
        ("..", "%2E%2E"),
    ] {
        let value = "\0\"\\\n".repeat(1000);
        write(&app, "/set", json!({"id": key(sent), "data": value})).await;
        let path = format!("{path}-{}", std::process::id());
        assert_eq!(get(&app, &path).await.body, json!({key(sent): value}), "{sent}");
    }
}

#[rocket::async_test]
async fn no_key_reaches_a_key_of_the_service() {
    let (app, _database) = App::start();
    write(&app, "/set", json!({"id": "message_queue", "data": "mine"})).await;
    assert_eq!(
        get(&app, "message_queue").await.body,
        json!({"message_queue": "mine"})
    );
    assert_eq!(
        app.authorized(Method::GET, "/api/queue/count", "").await.status,
        200
    );
}

#[rocket::async_test]
async fn missing_empty_and_non_string_members_are_refused() {
    let (app, _database) = App::start();
    for (path, body) in [
        ("/add", json!({"key": "k"})),
        ("/add", json!({"value": "v"})),
        ("/add", json!({"key": "", "value": "v"})),
        ("/add", json!({"key": "k", "value": ""})),
        ("/add", json!({"key": 1, "value": "v"})),
        ("/set", json!({"id": "one"})),
        ("/set", json!({"id": "", "data": "d"})),
        ("/set", json!({"id": "one", "data": {"a": 1}})),
        ("/set", json!([])),
    ] {
        let refused = write(&app, path, body.clone()).await;
        assert_eq!(refused.refusal(), (400, "invalid_body"), "{path} {body}");
    }
}

#[rocket::async_test]
async fn sizes_have_limits() {
    let (app, _database) = App::start();
    let longest = format!("{:0>512}", key("k"));
    let largest = "\u{1}".repeat(1024 * 1024);
    assert_eq!(
        write(&app, "/set", json!({"id": longest, "data": largest}))
            .await
            .status,
        201
    );
    let longer = write(&app, "/set", json!({"id": format!("{longest}x"), "data": ""})).await;
    assert_eq!(longer.refusal(), (400, "out_of_range"));
    let larger = write(&app, "/set", json!({"id": "k", "data": format!("{largest}x")})).await;
    assert_eq!(larger.refusal(), (413, "payload_too_large"));
}

#[rocket::async_test]
async fn without_a_token_nothing_is_written_or_read() {
    let (app, _database) = App::start();
    let id = key("secret");
    write(&app, "/set", json!({"id": id, "data": "mine"})).await;
    let body = json!({"id": id, "data": "theirs", "key": id, "value": "theirs"}).to_string();
    assert_eq!(
        app.post("/set", body.clone()).await.refusal(),
        (401, "unauthorized")
    );
    assert_eq!(app.post("/add", body).await.refusal(), (401, "unauthorized"));
    assert_eq!(
        app.get(&format!("/get/{id}")).await.refusal(),
        (401, "unauthorized")
    );
    assert_eq!(get(&app, &id).await.body, json!({id.clone(): "mine"}));
    assert!(TOKEN.len() >= 32);
}
