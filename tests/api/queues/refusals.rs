//! Refused requests.

use reqwest::Method;

use super::{DEAD, PURGE, PUSH, RECEIVE, numbers, push, receive_one, start};
use crate::support::TOKEN;

#[rocket::async_test]
async fn without_a_token_nothing_happens() {
    let (app, _redis) = start();
    push(&app, "[1, 2]").await;
    let receipt = receive_one(&app, "").await.path();
    let (redrive, purge_dead) = (format!("{DEAD}/redrive"), format!("{DEAD}/purge"));
    for (method, path) in [
        (Method::POST, PUSH),
        (Method::POST, RECEIVE),
        (Method::POST, PURGE),
        (Method::DELETE, "/api/queues/mails"),
        (Method::DELETE, &receipt),
        (Method::PATCH, &receipt),
        (Method::GET, DEAD),
        (Method::POST, &purge_dead),
        (Method::POST, &redrive),
        (Method::GET, "/api/queues"),
        (Method::GET, "/api/queues/mails"),
        (Method::GET, "/api/queues/NO_NAME"),
    ] {
        for token in ["", "x", &format!("{TOKEN}x")] {
            let request = app
                .http
                .request(method.clone(), format!("http://{}{path}", app.address));
            let request = request.header("Authorization", token).body(r#"{"visibility":0}"#);
            assert_eq!(
                app.answer(request).await.refusal(),
                (401, "unauthorized"),
                "{path}"
            );
        }
    }
    assert_eq!(numbers(&app).await, [1, 0, 1, 0]);
}

#[rocket::async_test]
async fn an_invalid_name_is_refused_everywhere() {
    let (app, _redis) = start();
    let receipt = "/messages/1-01J00000000000000000000000";
    for name in [
        "A",
        "a_b",
        "a.b",
        "%20",
        "a%2Fb",
        "%00",
        "%ff",
        "a%7D",
        &"x".repeat(65),
    ] {
        for (method, path) in [
            (Method::POST, "/messages"),
            (Method::POST, "/messages/receive"),
            (Method::POST, "/purge"),
            (Method::DELETE, ""),
            (Method::DELETE, receipt),
            (Method::PATCH, receipt),
            (Method::GET, ""),
            (Method::GET, "/dead"),
            (Method::POST, "/dead/purge"),
            (Method::POST, "/dead/redrive"),
        ] {
            let path = format!("/api/queues/{name}{path}");
            let refused = app.authorized(method, &path, r#"{"visibility":0}"#).await;
            assert_eq!(refused.refusal(), (400, "invalid_name"), "{path}");
        }
    }
    let longest = format!("/api/queues/{}/messages", "x".repeat(64));
    assert_eq!(app.authorized(Method::POST, &longest, "").await.status, 200);
}

#[rocket::async_test]
async fn numbers_out_of_range_are_refused_by_name() {
    let (app, _redis) = start();
    let redrive = format!("{DEAD}/redrive");
    for (method, path, name, least, most) in [
        (Method::POST, PUSH, "delay", 0, 43_200),
        (Method::POST, RECEIVE, "max", 1, 100),
        (Method::POST, RECEIVE, "wait", 0, 20),
        (Method::POST, RECEIVE, "visibility", 1, 43_200),
        (Method::GET, DEAD, "limit", 1, 1000),
        (Method::POST, &redrive, "max", 1, 1_000_000),
    ] {
        let wrong = [
            (least - 1).to_string(),
            (most + 1).to_string(),
            "x".into(),
            String::new(),
        ];
        for number in wrong {
            let path = format!("{path}?{name}={number}");
            let refused = app.authorized(method.clone(), &path, "x").await;
            assert_eq!(refused.refusal(), (400, "out_of_range"), "{path}");
            let sentence = format!("{name} must be an integer from {least} to {most}.");
            assert_eq!(refused.error(), sentence);
        }
    }
}
