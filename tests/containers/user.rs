//! An ordinary user in the group `docker`, with a checkout that nobody else can read.

use reqwest::Client;

use crate::checkout::Checkout;
use crate::stack::{
    SERVICES, assert_everything, containers, inspect, order, place, run, token, url, write_everything,
};

async fn count_with(token: &str) -> u16 {
    let request = Client::new().get(url("/api/queue/count")).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

#[rocket::async_test]
async fn an_ordinary_user_under_umask_077_starts_rotates_backs_up_and_restores() {
    let _checkout = Checkout::new("user");
    run("make", &["docker-compose"]);
    for service in SERVICES {
        let state = inspect(&containers(service)[0])["State"].take();
        assert_eq!(state["Health"]["Status"], "healthy", "{service}");
    }
    let id = write_everything().await;

    let old = token();
    let new = old.chars().rev().collect::<String>();
    run(
        "sed",
        &["--in-place", &format!("s/^API_TOKEN=.*/API_TOKEN={new}/"), ".env"],
    );
    run("make", &["rolling-restart"]);
    assert_eq!((count_with(&new).await, count_with(&old).await), (200, 401));

    let backup = run("make", &["backup"]);
    let later = place().await;
    run(
        "env",
        &["OVERWRITE=yes", "make", "restore", &format!("FILE={backup}")],
    );
    assert_everything(id).await;
    assert_eq!(order(later).await["code"], "order_not_found");
    assert_eq!((count_with(&new).await, count_with(&old).await), (200, 401));
}
