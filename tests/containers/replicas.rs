//! Several instances of the service behind Nginx.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rocket::tokio::time::sleep;

use crate::load::Load;
use crate::stack::{compose, containers, inspect, run, said, until_health, up};

/// The number of requests that Nginx has forwarded since then, by instance.
fn asked_since(time: &str) -> BTreeMap<String, u32> {
    let mut asked = BTreeMap::new();
    let nginx = &containers("order-api-nginx")[0];
    for line in run("docker", &["logs", "--since", time, nginx]).lines() {
        let Some((_, rest)) = line.split_once(r#""upstream": ""#) else {
            continue;
        };
        let upstream = rest.split('"').next().unwrap();
        *asked.entry(upstream.to_owned()).or_default() += 1;
    }
    asked.retain(|_, requests| *requests > 5); // failed attempts are logged next to the instance that answered
    asked
}

async fn under_load(time: Duration) -> BTreeMap<String, u32> {
    let since = run("date", &["--utc", "+%Y-%m-%dT%H:%M:%S.%NZ"]);
    let load = Load::start();
    sleep(time).await;
    load.stop().await;
    asked_since(&since)
}

/// Under load for two seconds at a time, until this many instances get requests.
async fn until_asked(instances: usize) -> BTreeMap<String, u32> {
    let began = Instant::now();
    loop {
        let asked = under_load(Duration::from_secs(2)).await;
        if asked.len() == instances {
            return asked;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{asked:?}");
    }
}

#[rocket::async_test]
async fn three_replicas_share_the_load() {
    up(3);
    let asked = until_asked(3).await;
    let (most, least) = (asked.values().max().unwrap(), asked.values().min().unwrap());
    assert!(*most < least * 2, "{asked:?}");
}

#[rocket::async_test]
async fn a_killed_replica_is_skipped_and_returns_and_no_read_fails() {
    up(3);
    until_asked(3).await;
    let killed = containers("order-api-app")[0].clone();
    let load = Load::start();
    sleep(Duration::from_secs(2)).await;
    run("docker", &["kill", &killed]);
    sleep(Duration::from_secs(4)).await;
    let seen = load.stop().await;

    assert!(seen.good > 100, "{seen:?}");
    assert_eq!(seen.failed_reads, [""; 0]);
    // A change in flight at the moment of the kill may have been executed: it is not resent.
    assert!(seen.failed_changes.len() <= 16, "{:?}", seen.failed_changes);
    for (id, (won, unknown)) in seen.takes {
        assert!(
            won <= 1 && won + unknown >= 1,
            "order {id}: {won} won, {unknown} unknown"
        );
    }

    assert_eq!(under_load(Duration::from_secs(2)).await.len(), 2);
    run("docker", &["start", &killed]);
    until_health("order-api-app", "healthy").await;
    until_asked(3).await;
}

/// What a rolling restart leaves that is killed: one that was never started, or an old one that has ended.
#[rocket::async_test]
async fn what_a_killed_rolling_restart_left_takes_the_place_of_no_replica() {
    up(1);
    let made = [
        "up",
        "--no-start",
        "--no-recreate",
        "--scale",
        "order-api-app=2",
        "order-api-app",
    ];
    let leave: [&dyn Fn(); 2] = [&|| _ = compose(&made), &|| {
        up(2);
        run("docker", &["stop", &oldest()]);
    }];
    for leave in leave {
        leave();
        let serving = compose(&["ps", "--quiet", "order-api-app"]);
        until_asked(1).await;
        let load = Load::start();
        up(1);
        let seen = load.stop().await;
        assert_eq!((seen.failed_reads, seen.failed_changes), (vec![], vec![]));
        assert_eq!(containers("order-api-app"), [serving]);
    }
}

/// Compose keeps those with the lowest numbers.
fn oldest() -> String {
    let name = |container: &String| inspect(container)["Name"].as_str().unwrap().to_owned();
    containers("order-api-app").into_iter().min_by_key(name).unwrap()
}

/// Clients with two connections each.
const CROWD: usize = 128;

/// The current image of the service, restored with the test.
struct Image;

impl Image {
    fn replaced_by(lines: &str) -> Self {
        run("docker", &["tag", "order-api", "order-api:good"]);
        let image = format!("FROM order-api:good\n{lines}\n");
        let build = "printf %s \"$1\" | docker build --quiet --tag order-api -";
        run("sh", &["-c", build, "sh", &image]);
        Self
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        run("docker", &["tag", "order-api:good", "order-api"]);
        run("docker", &["rmi", "order-api:good"]);
    }
}

/// One that exits at once, and one that listens, answers wrongly, and reports itself unhealthy.
#[rocket::async_test]
async fn a_rolling_restart_with_a_bad_image_keeps_the_good_replicas_and_says_so() {
    up(2);
    until_asked(2).await;
    let before = containers("order-api-app");
    let wrong = "HEALTHCHECK --interval=1s --retries=8 CMD [\"order-api\", \"healthcheck\"]\n\
        USER root\n\
        RUN sed -i '/^exec/i [ $1 = migrate ] || export DATABASE_URL=postgresql://nobody@127.0.0.1:1/none' \\\n\
        /usr/local/bin/start.sh\n\
        USER order-api";
    for lines in ["CMD [\"no-such-command\"]", wrong] {
        let image = Image::replaced_by(lines);
        let load = Load::of(CROWD, true);
        let restart = said("scripts/rolling-restart.sh", &[]);
        let seen = load.stop().await;
        drop(image);

        assert!(restart.contains("the old ones keep serving"), "{restart}");
        assert_eq!(containers("order-api-app"), before);
        assert_eq!((seen.failed_reads, seen.failed_changes), (vec![], vec![]));
        assert_eq!(under_load(Duration::from_secs(2)).await.len(), 2);
    }
}

#[rocket::async_test]
async fn a_rolling_restart_at_256_connections_fails_no_request() {
    up(3);
    until_asked(3).await;
    let before = containers("order-api-app");
    let load = Load::of(CROWD, true);
    run("make", &["rolling-restart"]);
    let seen = load.stop().await;

    assert!(seen.good > 10_000, "{}", seen.good);
    assert_eq!((seen.failed_reads, seen.failed_changes), (vec![], vec![]));
    for (id, (won, _)) in seen.takes {
        assert_eq!(won, 1, "order {id}");
    }
    let after = containers("order-api-app");
    assert_eq!(after.len(), 3);
    assert!(after.iter().all(|container| !before.contains(container)));
}
