//! What survives of the plain queue when Redis dies, on a slow disk: the rows of the table in
//! docs/QUEUES.md.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::Commands;
use reqwest::Method;
use rocket::futures::future::{join, join_all};
use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::sleep;

use crate::support::{App, Database, SlowDisk};

const CLIENTS: usize = 64;
/// In milliseconds: with `always` each round waits for the disk; with `everysec` the disk always lags behind.
const SLOW: u32 = 200;
const VERY_SLOW: u32 = 1500;
const ALWAYS: [&str; 2] = ["--appendfsync", "always"];
const EVERYSEC: [&str; 2] = ["--appendfsync", "everysec"];
/// A running `fdatasync`, the 2 s for which Redis delays its writes meanwhile, and the second of `everysec`.
const AT_MOST_EVERYSEC: Duration = Duration::from_millis(1500 + 2000 + 1000);

/// A confirmed message, and its time.
type Answered = Vec<(String, Instant)>;

fn serve(disk: &SlowDisk) -> App {
    let database = Arc::new(Database::migrated());
    App::on(&database).with("REDIS_URL", &disk.redis.url).start()
}

async fn push(app: &App, message: &str) -> u16 {
    let pushed = app
        .authorized(Method::POST, "/api/queue/push", message.to_owned())
        .await;
    pushed.status
}

/// Pushes numbered messages until `end` has stopped Redis, and returns the confirmed ones.
async fn push_until(
    app: &App,
    enough: impl Future<Output = ()>,
    end: impl FnOnce() + Send + 'static,
) -> (Answered, Instant) {
    let ended = AtomicBool::new(false);
    let push_all = |client: usize| {
        let ended = &ended;
        async move {
            let mut answered = Answered::new();
            for number in 0.. {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let message = format!("{client}-{number}");
                if push(app, &message).await == 200 {
                    answered.push((message, Instant::now()));
                }
            }
            answered
        }
    };
    let ending = async {
        enough.await;
        let at = Instant::now();
        spawn_blocking(end).await.unwrap();
        ended.store(true, Ordering::SeqCst);
        at
    };
    let (answered, at) = join(join_all((0..CLIENTS).map(push_all)), ending).await;
    (answered.concat(), at)
}

/// The confirmed messages that are missing after a restart.
fn lost(disk: &SlowDisk, answered: &Answered) -> Answered {
    disk.redis.start_again();
    let kept: HashSet<String> = disk.redis.connect().lrange("message_queue", 0, -1).unwrap();
    let lost = answered.iter().filter(|(message, _)| !kept.contains(message));
    lost.cloned().collect()
}

/// Once the queue has this many messages.
async fn messages(app: &App, number: i64) {
    let count = async || app.authorized(Method::GET, "/api/queue/count", "").await;
    while count().await.body["count"].as_i64() < Some(number) {
        sleep(Duration::from_millis(20)).await;
    }
}

async fn always(end: fn(&SlowDisk)) {
    let disk = Arc::new(SlowDisk::start(SLOW, &ALWAYS));
    let app = serve(&disk);
    let ended = Arc::clone(&disk);
    let (answered, _) = push_until(&app, messages(&app, 500), move || end(&ended)).await;
    assert!(answered.len() >= 400, "{}", answered.len());
    assert_eq!(lost(&disk, &answered), []);
    assert_eq!(push(&app, "after").await, 200);
}

async fn everysec(end: fn(&SlowDisk)) {
    let disk = Arc::new(SlowDisk::start(VERY_SLOW, &EVERYSEC));
    let app = serve(&disk);
    let ended = Arc::clone(&disk);
    let enough = sleep(Duration::from_millis(6500));
    let (answered, at) = push_until(&app, enough, move || end(&ended)).await;
    let lost = lost(&disk, &answered);
    let age = lost
        .iter()
        .map(|(_, answered)| at.saturating_duration_since(*answered));
    let oldest = age.max().unwrap_or_default();
    assert!(
        lost.len() < answered.len() && oldest < AT_MOST_EVERYSEC,
        "{oldest:?}"
    );
    assert_eq!(push(&app, "after").await, 200);
}

#[rocket::async_test]
async fn with_always_a_kill_loses_nothing() {
    always(|disk| disk.redis.kill()).await;
}

#[rocket::async_test]
async fn with_always_a_power_failure_loses_nothing() {
    always(SlowDisk::cut_power).await;
}

#[rocket::async_test]
async fn with_everysec_a_kill_may_lose_the_last_seconds() {
    everysec(|disk| disk.redis.kill()).await;
}

#[rocket::async_test]
async fn with_everysec_a_power_failure_may_lose_the_last_seconds() {
    everysec(SlowDisk::cut_power).await;
}

/// Fills the disk under load; returns the number of pushes confirmed while it was full.
async fn fill(disk: &Arc<SlowDisk>, app: &App) -> (Answered, usize) {
    let filled = Arc::clone(disk);
    let late = AtomicUsize::new(0);
    let (answered, _) = push_until(app, messages(app, 200), move || filled.fill()).await;
    let pushing = (0..CLIENTS).map(|client| {
        let late = &late;
        async move {
            if push(app, &format!("late {client}")).await == 200 {
                late.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    sleep(Duration::from_millis(1500)).await;
    join_all(pushing).await;
    (answered, late.into_inner())
}

#[rocket::async_test]
async fn with_always_a_full_disk_stops_redis_and_loses_nothing() {
    let disk = Arc::new(SlowDisk::start(1, &ALWAYS));
    let app = serve(&disk);
    let (answered, late) = fill(&disk, &app).await;
    assert_eq!(late, 0);
    disk.make_room();
    disk.redis.kill();
    assert_eq!(lost(&disk, &answered), []);
    assert_eq!(push(&app, "after").await, 200);
}

#[rocket::async_test]
async fn with_everysec_a_full_disk_refuses_pushes_until_there_is_space() {
    let disk = Arc::new(SlowDisk::start(1, &EVERYSEC));
    let app = serve(&disk);
    let (_, late) = fill(&disk, &app).await;
    assert_eq!(late, 0);
    let unwell = app.get("/healthcheck").await;
    assert_eq!(unwell.body["checks"]["redis"], "cannot persist");
    disk.make_room();
    let since = Instant::now();
    while push(&app, "after").await != 200 {
        assert!(since.elapsed() < Duration::from_secs(3));
    }
}
