//! `GET /metrics` and `GET /prom-metrics`.

use reqwest::Method;

use crate::support::App;

/// The samples: name with labels, and value.
async fn scrape(app: &App) -> Vec<(String, f64)> {
    let url = format!("http://{}/metrics", app.address);
    let text = app.http.get(url).send().await.unwrap().text().await.unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}

fn value(samples: &[(String, f64)], series: &str) -> Option<f64> {
    samples
        .iter()
        .find(|(name, _)| name == series)
        .map(|(_, value)| *value)
}

#[rocket::async_test]
async fn events_are_counted() {
    let (app, _database) = App::start();
    let id = app.place().await;
    app.take(id).await;
    app.take(id).await;
    app.take(id + 1).await;
    let samples = scrape(&app).await;
    for (series, expected) in [
        ("order_api_orders_placed_total", 1.0),
        (r#"order_api_order_takes_total{outcome="won"}"#, 1.0),
        (r#"order_api_order_takes_total{outcome="already_taken"}"#, 1.0),
        (r#"order_api_order_takes_total{outcome="not_found"}"#, 1.0),
        (
            r#"rocket_http_requests_total{endpoint="/orders/<id>",method="PATCH",status="200"}"#,
            1.0,
        ),
        (
            r#"rocket_http_requests_duration_seconds_count{endpoint="/orders/<id>",method="PATCH",status="400"}"#,
            2.0,
        ),
        (
            r#"order_api_distance_lookup_duration_seconds_count{outcome="found",provider="haversine"}"#,
            1.0,
        ),
        (r#"order_api_database_connections{state="busy"}"#, 0.0),
        ("order_api_database_connection_wait_seconds_count", 4.0),
        (
            concat!(
                r#"order_api_build_info{version=""#,
                env!("CARGO_PKG_VERSION"),
                r#""}"#
            ),
            1.0,
        ),
    ] {
        assert_eq!(value(&samples, series), Some(expected), "{series}");
    }
}

#[rocket::async_test]
async fn the_queue_and_redis_are_measured() {
    let redis = crate::support::Redis::start();
    let database = std::sync::Arc::new(crate::support::Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    app.authorized(Method::POST, "/api/queue/push", "one").await;
    app.authorized(Method::POST, "/api/queue/push", "two").await;
    app.authorized(Method::POST, "/api/queue/pop", "").await;
    let samples = scrape(&app).await;
    assert_eq!(value(&samples, "order_api_queue_pushes_total"), Some(2.0));
    assert_eq!(
        value(&samples, r#"order_api_queue_pops_total{outcome="message"}"#),
        Some(1.0)
    );
    assert_eq!(value(&samples, "order_api_queue_depth_messages"), Some(1.0));
    let pushes = r#"order_api_redis_command_duration_seconds_count{command="RPUSH"}"#;
    assert_eq!(value(&samples, pushes), Some(2.0));
    redis.stop();
    app.authorized(Method::POST, "/api/queue/push", "three").await;
    let samples = scrape(&app).await;
    assert!(
        value(&samples, "order_api_queue_depth_messages")
            .unwrap()
            .is_nan()
    );
    assert_eq!(
        value(&samples, r#"order_api_redis_errors_total{command="RPUSH"}"#),
        Some(1.0)
    );
}

#[rocket::async_test]
async fn both_paths_return_the_same_prometheus_text() {
    let (app, _database) = App::start();
    for path in ["/metrics", "/prom-metrics", "/metrics/"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
    }
}

#[rocket::async_test]
async fn ten_thousand_ids_and_unknown_paths_add_no_series() {
    let (app, _database) = App::start();
    let visit = async |number: usize| {
        app.get(&format!("/orders/{number}")).await;
        app.get(&format!("/nowhere/{number}")).await;
    };
    visit(0).await;
    scrape(&app).await;
    let before = scrape(&app).await.len();
    for first in (0..5000).step_by(50) {
        rocket::futures::future::join_all((first..first + 50).map(visit)).await;
    }
    assert_eq!(scrape(&app).await.len(), before);
}
