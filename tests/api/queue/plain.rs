//! The plain queue: push, pop, count.

use std::collections::HashSet;

use reqwest::Method;
use rocket::futures::future::{join, join_all};
use serde_json::json;

use crate::support::{Answer, App, Database, Redis, TOKEN};

const PUSH: &str = "/api/queue/push";
const POP: &str = "/api/queue/pop";
const COUNT: &str = "/api/queue/count";

/// A service with its own Redis, since all tests share the one plain queue.
fn start() -> (App, Redis) {
    let redis = Redis::start();
    let database = std::sync::Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    (app, redis)
}

async fn count(app: &App) -> i64 {
    app.authorized(Method::GET, COUNT, "").await.body["count"]
        .as_i64()
        .unwrap()
}

#[rocket::async_test]
async fn messages_are_first_in_first_out() {
    let (app, _redis) = start();
    for message in ["Message1", "Message2"] {
        let pushed = app.authorized(Method::POST, PUSH, message).await;
        assert_eq!((pushed.status, pushed.body), (200, json!({"status": "ok"})));
    }
    let counted = app.authorized(Method::GET, COUNT, "").await;
    assert_eq!(
        (counted.status, counted.body),
        (200, json!({"status": "ok", "count": 2}))
    );
    for message in [json!("Message1"), json!("Message2"), json!(null)] {
        let popped = app.authorized(Method::POST, POP, "").await;
        assert_eq!(
            (popped.status, popped.body),
            (200, json!({"status": "ok", "message": message}))
        );
    }
}

#[rocket::async_test]
async fn a_message_is_returned_unchanged() {
    let (app, _redis) = start();
    let every_character: String = (0..=0x10_FFFF).step_by(7).filter_map(char::from_u32).collect();
    let ascii: String = (0..128).map(char::from).collect();
    for message in [String::new(), ascii, "\"\\\n\r\0{}[]".to_owned(), every_character] {
        assert_eq!(
            app.authorized(Method::POST, PUSH, message.clone()).await.status,
            200
        );
        let popped = app.authorized(Method::POST, POP, "").await;
        assert!(popped.body["message"].as_str() == Some(&message));
    }
}

#[rocket::async_test]
async fn a_message_that_is_not_utf8_or_too_large_is_refused_and_not_queued() {
    let (app, _redis) = start();
    let refused = app.authorized(Method::POST, PUSH, b"ok\xff".to_vec()).await;
    assert_eq!(refused.refusal(), (400, "invalid_body"));
    let largest = vec![b'x'; 1024 * 1024];
    let too_large = [largest.as_slice(), b"x"].concat();
    assert_eq!(
        app.authorized(Method::POST, PUSH, too_large).await.refusal(),
        (413, "payload_too_large")
    );
    assert_eq!(count(&app).await, 0);
    assert_eq!(app.authorized(Method::POST, PUSH, largest).await.status, 200);
}

#[rocket::async_test]
async fn the_content_type_never_matters() {
    let (app, _redis) = start();
    for kind in [
        "application/json",
        "application/x-www-form-urlencoded",
        "image/png",
    ] {
        let request = app
            .http
            .post(format!("http://{}{PUSH}", app.address))
            .header("Content-Type", kind);
        let request = request.header("Authorization", TOKEN).body("_method=delete");
        assert_eq!(app.answer(request).await.status, 200, "{kind}");
    }
    assert_eq!(count(&app).await, 3);
}

#[rocket::async_test]
async fn without_a_token_nothing_happens_and_redis_is_not_asked() {
    let (app, redis) = start();
    app.authorized(Method::POST, PUSH, "mine").await;
    let asked = |redis: &Redis| -> u64 {
        let info: redis::InfoDict = redis::cmd("INFO")
            .arg("stats")
            .query(&mut redis.connect())
            .unwrap();
        info.get("total_commands_processed").unwrap()
    };
    let before = asked(&redis);
    let longer = format!("{TOKEN}x");
    for token in [
        "",
        "x",
        &TOKEN[1..],
        &longer,
        "Basic x",
        &format!("Bearer Bearer {TOKEN}"),
    ] {
        for (method, path) in [(Method::POST, PUSH), (Method::POST, POP), (Method::GET, COUNT)] {
            let request = app.http.request(method, format!("http://{}{path}", app.address));
            let refused = app
                .answer(request.header("Authorization", token).body("theirs"))
                .await;
            assert_eq!(refused.refusal(), (401, "unauthorized"), "{token}");
            assert_eq!(refused.error(), "Unauthorized access!");
        }
    }
    assert_eq!(app.post(PUSH, "theirs").await.refusal(), (401, "unauthorized"));
    // The commands of the two connections above: HELLO or CLIENT, and INFO itself.
    let own = asked(&redis) - before;
    assert_eq!(asked(&redis) - before - own, own);
    assert_eq!(count(&app).await, 1);
}

#[rocket::async_test]
async fn a_token_may_follow_bearer_and_any_of_several_is_accepted() {
    let redis = Redis::start();
    let database = std::sync::Arc::new(Database::migrated());
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    let app = App::on(&database)
        .with("REDIS_URL", &redis.url)
        .with("API_TOKEN", &format!("{old}, {new}"));
    let app = app.start();
    for token in [old.clone(), format!("Bearer {new}"), format!("bearer {old}")] {
        let request = app.http.get(format!("http://{}{COUNT}", app.address));
        let counted = app.answer(request.header("Authorization", token)).await;
        assert_eq!(counted.status, 200);
    }
}

const CLIENTS: usize = 100;
const MESSAGES: usize = 100_000;

/// Pops until the queue is empty and everything has been pushed.
async fn pop_all(app: &App, pushed: &std::sync::atomic::AtomicUsize) -> Vec<String> {
    let mut messages = Vec::new();
    loop {
        let all_pushed = pushed.load(std::sync::atomic::Ordering::SeqCst) == MESSAGES;
        match app.authorized(Method::POST, POP, "").await.body["message"].as_str() {
            Some(message) => messages.push(message.to_owned()),
            None if all_pushed => return messages,
            None => {}
        }
    }
}

/// On a busy machine it may wait for too long: then nothing was done.
async fn push_until_taken(app: &App, message: &str) {
    loop {
        let answer: Answer = app.authorized(Method::POST, PUSH, message.to_owned()).await;
        if answer.status == 200 {
            return;
        }
        assert_eq!(answer.refusal(), (503, "overloaded"));
    }
}

#[rocket::async_test]
async fn of_100_000_concurrent_messages_each_is_popped_once() {
    let (app, _redis) = start();
    let pushed = std::sync::atomic::AtomicUsize::new(0);
    let push = |client: usize| {
        let (app, pushed) = (&app, &pushed);
        async move {
            for number in (client..MESSAGES).step_by(CLIENTS) {
                push_until_taken(app, &number.to_string()).await;
                pushed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    };
    let pushing = join_all((0..CLIENTS).map(push));
    let popping = join_all((0..CLIENTS).map(|_| pop_all(&app, &pushed)));
    let (_, popped) = join(pushing, popping).await;
    let popped = popped.concat();
    assert_eq!(popped.len(), MESSAGES);
    assert_eq!(popped.into_iter().collect::<HashSet<_>>().len(), MESSAGES);
    assert_eq!(count(&app).await, 0);
}
