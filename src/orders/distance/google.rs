//! Google's Distance Matrix API (legacy: new projects get the Routes API instead).

use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::DistanceError;
use super::online::Api;
use crate::orders::model::{Coordinates, Trip};
use crate::outbound::Answer;

/// Documentation: "Distance Matrix API request and response",
/// <https://developers.google.com/maps/documentation/distance-matrix/distance-matrix>.
pub(super) struct Google {
    key: SecretString,
    url: Url,
}

/// Refusals usually have HTTP status 200 and a word in `status`.
#[derive(Deserialize)]
struct Matrix {
    status: String,
    error_message: Option<String>,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    elements: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    status: String,
    /// Only with status `OK`.
    distance: Option<Distance>,
}

#[derive(Deserialize)]
struct Distance {
    /// Metres, whatever `units` says: that affects only the text.
    value: f64,
}

impl Google {
    pub(super) fn new(key: &SecretString, url: &Url) -> Self {
        Self {
            key: key.clone(),
            url: url.clone(),
        }
    }
}

impl Api for Google {
    fn request(&self, http: &reqwest::Client, trip: &Trip) -> RequestBuilder {
        http.get(self.url.clone()).query(&[
            ("origins", point(&trip.origin).as_str()),
            ("destinations", point(&trip.destination).as_str()),
            ("units", "metric"),
            ("key", self.key.expose_secret()),
        ])
    }

    fn read(&self, answer: &Answer) -> Result<f64, DistanceError> {
        let matrix: Matrix = answer.json().map_err(DistanceError::Unavailable)?;
        let refused = |words: String| Err(DistanceError::Unavailable(words));
        if matrix.status != "OK" {
            let why = matrix.error_message.unwrap_or_default();
            return refused(format!("{}: {why}", matrix.status));
        }
        let Some(element) = matrix.rows.first().and_then(|row| row.elements.first()) else {
            return refused("OK, but without an element".to_owned());
        };
        match (element.status.as_str(), &element.distance) {
            ("OK", Some(distance)) => Ok(distance.value),
            ("NOT_FOUND" | "ZERO_RESULTS" | "MAX_ROUTE_LENGTH_EXCEEDED", _) => Err(DistanceError::NoRoute),
            (status, _) => refused(format!("the element is {status}, without a distance")),
        }
    }

    fn key(&self) -> Option<&SecretString> {
        Some(&self.key)
    }
}

fn point(coordinates: &Coordinates) -> String {
    format!("{},{}", coordinates.latitude(), coordinates.longitude())
}

#[cfg(test)]
mod tests {
    use super::Google;
    use crate::orders::distance::DistanceError::{NoRoute, Unavailable};
    use crate::orders::distance::tests::stand_in::{KEY, Reply, StandIn, lookup};

    fn api(stand_in: &StandIn) -> Google {
        Google::new(&KEY.into(), &stand_in.url("/maps/api/distancematrix/json"))
    }

    fn element(element: &str) -> String {
        format!(
            r#"{{"destination_addresses": ["Unter den Linden"], "origin_addresses": [""],
                "rows": [{{"elements": [{element}]}}], "status": "OK"}}"#
        )
    }

    #[rocket::async_test]
    async fn the_request_is_the_documented_one_and_the_metres_are_read() {
        let found = r#"{"distance": {"text": "1.9 km", "value": 1886},
                        "duration": {"text": "6 mins", "value": 381}, "status": "OK"}"#;
        let google = StandIn::start([Reply::with(200, element(found))]).await;
        assert_eq!(lookup(api(&google)).await, Ok(1886));
        let request = google.only_request();
        assert_eq!(
            request.line(),
            "GET /maps/api/distancematrix/json?origins=52.517037%2C13.38886\
             &destinations=52.529407%2C13.397634&units=metric&key=AIza-a-key-for-tests HTTP/1.1"
        );
        assert_eq!(request.body, "");
    }

    #[rocket::async_test]
    async fn an_element_without_a_road_is_no_route() {
        for status in ["NOT_FOUND", "ZERO_RESULTS", "MAX_ROUTE_LENGTH_EXCEEDED"] {
            let body = element(&format!(r#"{{"status": "{status}"}}"#));
            let google = StandIn::start([Reply::with(200, body)]).await;
            assert_eq!(lookup(api(&google)).await, Err(NoRoute), "{status}");
            google.only_request();
        }
    }

    #[rocket::async_test]
    async fn a_refusal_is_logged_in_googles_words_and_not_retried() {
        for status in [
            "REQUEST_DENIED",
            "OVER_QUERY_LIMIT",
            "OVER_DAILY_LIMIT",
            "INVALID_REQUEST",
            "MAX_ELEMENTS_EXCEEDED",
            "UNKNOWN_ERROR",
        ] {
            let body = format!(
                r#"{{"destination_addresses": [], "error_message": "Because.",
                    "origin_addresses": [], "rows": [], "status": "{status}"}}"#
            );
            let google = StandIn::start([Reply::with(200, body)]).await;
            let reason = Unavailable(format!("HTTP 200 OK: {status}: Because."));
            assert_eq!(lookup(api(&google)).await, Err(reason));
            google.only_request();
        }
    }

    #[rocket::async_test]
    async fn an_answer_with_missing_members_is_unavailable() {
        for body in [
            r#"{"status": "OK"}"#.to_owned(),
            r#"{"status": "OK", "rows": []}"#.to_owned(),
            r#"{"status": "OK", "rows": [{"elements": []}]}"#.to_owned(),
            r#"{"status": "OK", "rows": [{}]}"#.to_owned(),
            r#"{"rows": []}"#.to_owned(),
            element(r#"{"status": "OK"}"#),
            element(r#"{"status": "OK", "distance": {"text": "1 km"}}"#),
            element(r#"{"status": "OK", "distance": {"value": "far"}}"#),
            element(r#"{"status": "OK", "distance": {"value": -1}}"#),
            element(r#"{"status": "OK", "distance": {"value": 2147483648}}"#),
            element(r#"{"status": "OK", "distance": {"value": 1e999}}"#),
            element(r#"{"status": "SOMETHING_NEW"}"#),
        ] {
            let google = StandIn::start([Reply::with(200, &body)]).await;
            let outcome = lookup(api(&google)).await;
            assert!(matches!(outcome, Err(Unavailable(_))), "{body}");
        }
    }
}
