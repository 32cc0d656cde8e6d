//! `GET /healthcheck`.

use crate::support::App;

#[rocket::async_test]
async fn a_healthy_service_says_exactly_that() {
    let (app, _database) = App::start();
    let request = app.http.get(format!("http://{}/healthcheck", app.address));
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(text, r#"{"status":"ok"}"#);
}
