//! What is left of the plain queue after a crash of Redis.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::Commands;
use reqwest::Method;
use rocket::futures::future::{join, join_all};
use rocket::tokio::task::spawn_blocking;

use crate::support::{App, Database, Redis};

/// Pushes numbered messages until Redis is gone, and tells those that were answered `ok`.
async fn push_until(app: &App, client: usize, gone: &AtomicBool) -> Vec<String> {
    let mut answered = Vec::new();
    for number in 0.. {
        if gone.load(Ordering::SeqCst) {
            break;
        }
        let message = format!("{client}-{number}");
        let pushed = app
            .authorized(Method::POST, "/api/queue/push", message.clone())
            .await;
        match pushed.status {
            200 => answered.push(message),
            status => assert_eq!(status, 503, "{pushed:?}"),
        }
    }
    answered
}

#[rocket::async_test]
async fn with_appendfsync_always_every_push_that_was_answered_is_there_after_a_crash() {
    let redis = Arc::new(Redis::with(&["--appendfsync", "always"]));
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    let gone = AtomicBool::new(false);
    let crash = async {
        let count = async || app.authorized(Method::GET, "/api/queue/count", "").await;
        while count().await.body["count"].as_i64() < Some(500) {}
        let redis = Arc::clone(&redis);
        spawn_blocking(move || redis.kill()).await.unwrap();
        gone.store(true, Ordering::SeqCst);
    };
    let pushing = join_all((0..16).map(|client| push_until(&app, client, &gone)));
    let (answered, ()) = join(pushing, crash).await;
    redis.start_again();
    let kept: HashSet<String> = redis.connect().lrange("message_queue", 0, -1).unwrap();
    let answered = answered.concat();
    assert!(answered.len() >= 500);
    assert!(answered.iter().all(|message| kept.contains(message)));
    let after = app.authorized(Method::POST, "/api/queue/push", "after").await;
    assert_eq!(after.status, 200, "{after:?}");
}
