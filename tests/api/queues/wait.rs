//! Long polling: which receiver is woken, when, and what happens to messages of receivers that have disconnected.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::futures::future::{join, join_all};
use rocket::tokio::spawn;
use rocket::tokio::time::{sleep, timeout};

use super::{
    PUSH, RECEIVE, acknowledge, assert_elapsed, done, numbers, push, receive, receive_one, serve, start,
};
use crate::support::{App, TOKEN};

/// The number of polls so far, each by one receiver or several together.
async fn looks(app: &App) -> u64 {
    let metrics = app.get("/metrics").await.text;
    let sum = r#"order_api_lane_batch_items_sum{lane="queue_receive"} "#;
    let sum = metrics.lines().find_map(|line| line.strip_prefix(sum));
    sum.map_or(0, |sum| sum.parse().unwrap())
}

/// Completes after this many more polls.
async fn until_asked(app: &App, times: u64) -> impl Future<Output = ()> {
    let wanted = looks(app).await + times;
    async move {
        let began = Instant::now();
        while looks(app).await < wanted {
            assert!(began.elapsed() < Duration::from_secs(10));
            sleep(Duration::from_millis(2)).await;
        }
    }
}

#[rocket::async_test]
async fn a_wait_on_an_empty_queue_ends_in_time_without_messages() {
    let (app, _redis) = start();
    let began = Instant::now();
    assert_eq!(receive(&app, "?wait=1").await, []);
    assert_elapsed(began, 1.0);
}

#[rocket::async_test]
async fn a_push_wakes_a_receiver_at_once() {
    let (app, _redis) = start();
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let waiting = receive_one(&app, "?wait=10");
        let asked = until_asked(&app, 2).await;
        let pushing = async {
            asked.await;
            let pushed = Instant::now();
            push(&app, "news").await;
            pushed
        };
        let (received, pushed) = join(async { (waiting.await, Instant::now()) }, pushing).await;
        fastest = fastest.min(received.1.saturating_duration_since(pushed));
        assert_eq!(acknowledge(&app, &received.0).await, done());
    }
    // A poll every 150 ms would take half of that on average.
    assert!(fastest < Duration::from_millis(30), "{fastest:?}");
}

#[rocket::async_test]
async fn a_push_through_another_instance_is_seen_soon() {
    let (here, redis) = start();
    let there = serve(&redis);
    let asked = until_asked(&here, 2).await;
    let pushing = async {
        asked.await;
        push(&there, "news").await;
        Instant::now()
    };
    let waiting = async { (receive_one(&here, "?wait=10").await, Instant::now()) };
    let ((received, woken), pushed) = join(waiting, pushing).await;
    assert_eq!(received.message, "news");
    let delay = woken.saturating_duration_since(pushed);
    assert!(delay < Duration::from_millis(300), "{delay:?}");
    assert_eq!(acknowledge(&there, &received).await, done());
}

#[rocket::async_test]
async fn one_of_fifty_receivers_gets_the_message() {
    let (app, _redis) = start();
    let waiting = join_all((0..50).map(|_| receive(&app, "?wait=2&max=10")));
    let asked = until_asked(&app, 51).await;
    let pushing = async {
        asked.await;
        push(&app, "one").await;
    };
    let (received, ()) = join(waiting, pushing).await;
    assert_eq!(received.concat().len(), 1);
    assert_eq!(received.iter().filter(|messages| !messages.is_empty()).count(), 1);
}

#[rocket::async_test]
async fn fifty_receivers_get_fifty_messages_at_once() {
    let (app, _redis) = start();
    let waiting = join_all((0..50).map(|_| receive(&app, "?wait=20&max=1")));
    let asked = until_asked(&app, 51).await;
    let pushing = async {
        asked.await;
        push(
            &app,
            &serde_json::to_string(&(0..50).collect::<Vec<_>>()).unwrap(),
        )
        .await;
        Instant::now()
    };
    let (received, pushed) = join(waiting, pushing).await;
    assert!(
        pushed.elapsed() < Duration::from_secs(1),
        "{:?}",
        pushed.elapsed()
    );
    assert!(received.iter().all(|messages| messages.len() == 1));
}

#[rocket::async_test]
async fn fifty_receivers_poll_as_often_as_one() {
    let (app, _redis) = start();
    let waiting = join_all((0..50).map(|_| receive(&app, "?wait=2")));
    let began = Instant::now();
    let (_, ()) = join(waiting, until_asked(&app, 51).await).await;
    assert_elapsed(began, 2.0);
    let looks = looks(&app).await;
    // One poll of each at the beginning, then 14 of the first in line; a few more as the line dissolves.
    assert!(looks < 50 + 14 + 60, "{looks}");
}

#[rocket::async_test]
async fn a_message_for_a_disconnected_client_goes_to_the_next_at_once() {
    let (app, _redis) = start();
    let url = format!("http://{}{RECEIVE}?wait=20&visibility=43200", app.address);
    let request = app.http.post(url).header("Authorization", TOKEN);
    let asked = until_asked(&app, 2).await;
    let leaving = spawn(request.send());
    asked.await;
    leaving.abort();
    assert!(leaving.await.is_err());
    // The service still waits on behalf of the disconnected client.
    until_asked(&app, 2).await.await;
    push(&app, "news").await;
    let received = receive_one(&app, "?wait=5").await;
    assert_eq!((received.message.as_str(), received.attempts), ("news", 1));
}

#[rocket::async_test]
async fn a_message_that_was_received_again_stays_with_its_receiver() {
    let (app, _redis) = start();
    let large = "x".repeat(1024 * 1024);
    for message in ["small", &large] {
        push(&app, message).await;
        let received = receive_one(&app, "?wait=5&visibility=43200").await;
        assert_eq!(receive(&app, "?wait=1").await, []);
        assert_eq!(acknowledge(&app, &received).await, done());
    }
}

#[rocket::async_test]
async fn sigterm_ends_a_wait_at_once_with_an_answer() {
    let (mut app, _redis) = start();
    let url = format!("http://{}{RECEIVE}?wait=20", app.address);
    let asked = until_asked(&app, 2).await;
    let waiting = spawn(app.http.post(url).header("Authorization", TOKEN).send());
    asked.await;
    let asked = Instant::now();
    app.terminate();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), r#"{"status":"ok","messages":[]}"#);
    assert!(app.wait().success());
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[rocket::async_test]
async fn a_waiting_receiver_is_told_within_two_seconds_that_redis_is_down() {
    let (app, redis) = start();
    let app = Arc::new(app);
    let ask = |app: Arc<App>| async move {
        let answer = app
            .authorized(Method::POST, &format!("{RECEIVE}?wait=20"), "")
            .await;
        (answer, Instant::now())
    };
    let asked = until_asked(&app, 21).await;
    let waiting = join_all((0..20).map(|_| spawn(timeout(Duration::from_secs(10), ask(Arc::clone(&app))))));
    let waiting = spawn(waiting);
    asked.await;
    let stopped = Instant::now();
    redis.kill();
    for answer in waiting.await.unwrap() {
        let (answer, answered) = answer.unwrap().expect("it still waits");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answered - stopped < Duration::from_secs(2));
    }
    redis.start_again();
    let pushed = app.authorized(Method::POST, PUSH, "back").await;
    assert_eq!(pushed.status, 200);
    assert_eq!(numbers(&app).await, [1, 0, 0, 0]);
}
