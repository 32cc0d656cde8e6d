//! Deleting a queue, and requests that do not delete one.

use reqwest::Method;
use serde_json::json;

use super::{DEAD, PUSH, acknowledge, gone, kill_all, numbers, push, push_with, receive_one, start};

const QUEUE: &str = "/api/queues/mails";

#[rocket::async_test]
async fn a_deleted_queue_leaves_nothing() {
    let (app, redis) = start();
    push(&app, "[1, 2]").await;
    kill_all(&app).await;
    push(&app, "[3, 4]").await;
    push_with(&app, "?delay=100", "5").await;
    let received = receive_one(&app, "").await;
    let deleted = app.authorized(Method::DELETE, QUEUE, "").await;
    assert_eq!((deleted.status, deleted.body), (200, json!({"status": "ok"})));
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis.connect()).unwrap();
    assert_eq!(keys, [""; 0]);
    assert_eq!(acknowledge(&app, &received).await, gone());
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(
            app.authorized(method, QUEUE, "").await.refusal(),
            (404, "queue_not_found")
        );
    }
    push(&app, "6").await;
    assert_eq!(numbers(&app).await, [1, 0, 0, 0]);
}

#[rocket::async_test]
async fn an_acknowledgement_without_a_receipt_deletes_nothing() {
    let (app, _redis) = start();
    push(&app, "[1, 2]").await;
    kill_all(&app).await;
    push(&app, "[3, 4]").await;
    for path in [
        PUSH,
        &format!("{PUSH}/"),
        &format!("{PUSH}//"),
        DEAD,
        &format!("{DEAD}/"),
    ] {
        let refused = app.authorized(Method::DELETE, path, "").await;
        assert!([404, 405].contains(&refused.status), "{path}: {refused:?}");
    }
    assert_eq!(numbers(&app).await, [2, 0, 0, 2]);
}
