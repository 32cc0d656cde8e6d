//! `X-Request-ID`.

use crate::support::App;

/// The id of the answer to a request with these ids.
async fn answered(app: &App, sent: &[&[u8]]) -> String {
    let mut request = app.http.get(format!("http://{}/healthcheck", app.address));
    for id in sent {
        request = request.header("X-Request-ID", *id);
    }
    let answer = app.answer(request).await;
    answer.header("x-request-id").unwrap().to_owned()
}

#[rocket::async_test]
async fn a_valid_client_id_is_kept() {
    let (app, _database) = App::start();
    for id in ["a", "01J0000", "\"{}\\", &"x".repeat(128)] {
        assert_eq!(answered(&app, &[id.as_bytes()]).await, id);
    }
}

#[rocket::async_test]
async fn any_other_id_is_replaced() {
    let (app, _database) = App::start();
    let long = "x".repeat(129);
    let cases: [&[&[u8]]; 6] = [
        &[],
        &[b""],
        &[b"a b"],
        &[long.as_bytes()],
        &["é".as_bytes()],
        &[b"one", b"two"],
    ];
    let mut seen = std::collections::HashSet::new();
    for sent in cases {
        let id = answered(&app, sent).await;
        assert_eq!(id.len(), 26, "{sent:?}");
        assert!(seen.insert(id));
    }
}

#[rocket::async_test]
async fn the_id_is_on_the_log_lines_of_its_request() {
    let (app, _database) = App::start();
    let request = app.http.get(format!("http://{}/orders/7", app.address));
    app.answer(request.header("X-Request-ID", "find-me")).await;
    let log = app.stop();
    let line = log.iter().find(|line| line["request_id"] == "find-me").unwrap();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/orders/<id>");
    assert_eq!(line["status"], 404);
    assert_eq!(line["client"], "127.0.0.1");
    assert!(line["duration_ms"].is_f64());
}
