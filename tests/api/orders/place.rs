//! `POST /orders`.

use serde_json::{Value, json};

use crate::support::{App, TRIP, osrm};

#[rocket::async_test]
async fn an_order_is_placed_with_its_distance() {
    let (app, _database) = App::start();
    let placed = app.post("/orders", TRIP).await;
    assert_eq!(placed.status, 200);
    assert_eq!(placed.header("content-type"), Some("application/json"));
    let expected = json!({"distance": 1_256_281, "id": 1, "status": "UNASSIGNED"});
    assert_eq!(placed.body, expected);
}

#[rocket::async_test]
async fn ids_grow() {
    let (app, _database) = App::start();
    let (first, second) = (app.place().await, app.place().await);
    assert!(0 < first && first < second);
}

#[rocket::async_test]
async fn every_notation_of_degrees_is_read() {
    let (app, database) = App::start();
    for degrees in ["0", "-0", "+1.5", "-89.999999", "90", "-90.0", ".5", "5.", "007"] {
        let body = json!({"origin": [degrees, "180"], "destination": ["-90", "-180"]});
        let placed = app.post("/orders", body.to_string()).await;
        assert_eq!(placed.status, 200, "{degrees}: {placed:?}");
    }
    assert_eq!(database.orders(), 9);
}

#[rocket::async_test]
async fn degrees_may_have_any_number_of_digits() {
    let (app, database) = App::start();
    let long = |number: &str, zeros: usize| format!("{number}{}", "0".repeat(zeros));
    for degrees in [
        long("50.456399", 24),
        long("-50.456399", 5000),
        long("+", 5000) + "50.5",
    ] {
        let body = json!({"origin": [degrees, "0"], "destination": ["59.436487", "24.747193"]});
        let placed = app.post("/orders", body.to_string()).await;
        assert_eq!(placed.status, 200, "{placed:?}");
    }
    let exact = "SELECT count(*) AS number FROM orders WHERE origin_lat IN (50.456399, -50.456399, 50.5)";
    assert_eq!(database.number(exact), 3);
}

#[rocket::async_test]
async fn a_trip_to_its_origin_has_no_length() {
    let (app, _database) = App::start();
    let body = json!({"origin": ["1", "2"], "destination": ["1", "2"]});
    let placed = app.post("/orders", body.to_string()).await;
    assert_eq!(placed.body["distance"], 0);
}

#[rocket::async_test]
async fn the_content_type_never_matters() {
    let (app, _database) = App::start();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "image/png",
        "nonsense",
    ] {
        let request = app.http.post(format!("http://{}/orders", app.address));
        let placed = app.answer(request.header("Content-Type", kind).body(TRIP)).await;
        assert_eq!(placed.status, 200, "{kind}");
    }
}

#[rocket::async_test]
async fn a_body_that_is_not_json_is_refused() {
    let (app, database) = App::start();
    let deep = "[".repeat(5000);
    let bodies: [&[u8]; 7] = [
        b"",
        b"origin",
        b"{",
        b"[1e999]",
        b"\xff\xfe",
        &TRIP.as_bytes()[1..],
        deep.as_bytes(),
    ];
    for body in bodies {
        let refused = app.post("/orders", body.to_vec()).await;
        assert_eq!(refused.refusal(), (400, "invalid_body"), "{body:?}");
        assert!(
            refused.error().starts_with("The body is not JSON: "),
            "{refused:?}"
        );
    }
    assert_eq!(database.orders(), 0);
}

/// A valid body with this coordinate list as its origin.
fn with_origin(origin: Value) -> String {
    json!({"origin": origin, "destination": ["59.436487", "24.747193"]}).to_string()
}

#[rocket::async_test]
async fn a_body_that_breaks_the_schema_is_refused_and_the_member_named() {
    let (app, database) = App::start();
    let pair = "origin must be an array of exactly two strings, latitude and longitude.";
    let degrees = |index| {
        format!(
            "origin[{index}] must be a string with an optionally signed decimal number of degrees, \
             such as \"-12.70758\"."
        )
    };
    for (body, sentence) in [
        ("{}".to_owned(), "origin is missing from the body.".to_owned()),
        (
            "[]".to_owned(),
            "the body must be an object with the members origin and destination, and no other.".to_owned(),
        ),
        (with_origin(json!("1,2")), pair.to_owned()),
        (with_origin(json!([])), pair.to_owned()),
        (with_origin(json!(["1"])), pair.to_owned()),
        (with_origin(json!(["1", "2", "3"])), pair.to_owned()),
        (with_origin(json!([1, "2"])), degrees(0)),
        (with_origin(json!(["1", null])), degrees(1)),
        (with_origin(json!(["NaN", "2"])), degrees(0)),
        (with_origin(json!(["1e999", "2"])), degrees(0)),
        (with_origin(json!(["1", "inf"])), degrees(1)),
        (with_origin(json!(["1", "2\u{0}"])), degrees(1)),
        (with_origin(json!(["1", "2\n"])), degrees(1)),
        (with_origin(json!(["1", "٣"])), degrees(1)),
        (with_origin(json!(["", "2"])), degrees(0)),
    ] {
        let refused = app.post("/orders", body.clone()).await;
        assert_eq!(refused.refusal(), (400, "invalid_body"), "{body}");
        assert_eq!(refused.error(), sentence, "{body}");
    }
    assert_eq!(database.orders(), 0);
}

#[rocket::async_test]
async fn unknown_members_are_refused() {
    let (app, database) = App::start();
    let extra = TRIP.replace('}', r#", "colour": "red"}"#);
    let refused = app.post("/orders", extra).await;
    assert_eq!(refused.refusal(), (400, "invalid_body"));
    assert_eq!(refused.error(), "the body must have no member colour.");
    let twice = TRIP.replace('}', r#", "origin": ["1", "2"]}"#);
    assert_eq!(app.post("/orders", twice).await.refusal(), (400, "invalid_body"));
    assert_eq!(database.orders(), 0);
}

#[rocket::async_test]
async fn coordinates_out_of_range_are_refused() {
    let (app, database) = App::start();
    for (origin, index) in [
        (["90.000001", "0"], 0),
        (["-91", "0"], 0),
        (["0", "180.1"], 1),
        (["0", "-999999999"], 1),
        (["0", &"1".repeat(400)], 1),
    ] {
        let refused = app.post("/orders", with_origin(json!(origin))).await;
        assert_eq!(refused.refusal(), (400, "out_of_range"), "{origin:?}");
        assert!(
            refused.error().starts_with(&format!("origin[{index}], the ")),
            "{refused:?}"
        );
    }
    assert_eq!(database.orders(), 0);
}

#[rocket::async_test]
async fn a_body_over_16_kib_is_refused() {
    let (app, database) = App::start();
    let padded = |length: usize| format!("{TRIP}{}", " ".repeat(length - TRIP.len()));
    assert_eq!(app.post("/orders", padded(16 * 1024)).await.status, 200);
    for length in [16 * 1024 + 1, 1024 * 1024] {
        let refused = app.post("/orders", padded(length)).await;
        assert_eq!(refused.refusal(), (413, "payload_too_large"));
    }
    assert_eq!(database.orders(), 1);
}

#[rocket::async_test]
async fn an_unreachable_provider_is_503_and_leaves_no_row() {
    let (_app, database) = App::start();
    let osrm = App::on(&database).with("DISTANCE_PROVIDER", "osrm");
    // Port 1 of this machine has no listener.
    let app = osrm.with("OSRM_URL", "http://127.0.0.1:1").start();
    let refused = app.post("/orders", TRIP).await;
    assert_eq!(refused.refusal(), (503, "distance_unavailable"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(database.orders(), 0);
}

#[rocket::async_test]
async fn a_trip_without_a_road_is_refused_and_leaves_no_row() {
    let (_app, database) = App::start();
    let url = osrm(
        "400 Bad Request",
        r#"{"code": "NoRoute", "message": "Impossible route."}"#,
    )
    .await;
    let app = App::on(&database)
        .with("DISTANCE_PROVIDER", "osrm")
        .with("OSRM_URL", &url)
        .start();
    let refused = app.post("/orders", TRIP).await;
    assert_eq!(refused.refusal(), (400, "no_route"));
    assert_eq!(database.orders(), 0);
}

#[rocket::async_test]
async fn the_providers_distance_is_the_orders_distance() {
    let (_app, database) = App::start();
    let url = osrm("200 OK", r#"{"code": "Ok", "routes": [{"distance": 1728056.6}]}"#).await;
    let app = App::on(&database)
        .with("DISTANCE_PROVIDER", "osrm")
        .with("OSRM_URL", &url)
        .start();
    let placed = app.post("/orders", TRIP).await;
    assert_eq!(placed.body["distance"], 1_728_057);
    assert_eq!(
        database.number("SELECT distance::bigint AS number FROM orders"),
        1_728_057
    );
}
