//! Google's Routes API: a route matrix of one origin and one destination.

use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::DistanceError;
use super::online::Api;
use crate::orders::model::{Coordinates, Trip};
use crate::outbound::Answer;

/// `status` is required: without it every element appears to be OK.
const FIELDS: &str = "status,condition,distanceMeters";

/// Documentation: "Method: computeRouteMatrix" and "Handle request errors" of the Routes API,
/// <https://developers.google.com/maps/documentation/routes/reference/rest/v2/TopLevel/computeRouteMatrix>.
pub(super) struct GoogleRoutes {
    key: SecretString,
    url: Url,
}

/// A matrix, or an error instead; a stream can also begin with an error.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Stream(Vec<Element>),
    Single(Element),
}

/// proto3's JSON omits zeros and empty members.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Element {
    error: Option<Status>,
    status: Status,
    condition: String,
    distance_meters: f64,
}

/// Only errors of the whole answer have the word `status`; the code of success is 0.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: i32,
    status: String,
    message: String,
}

impl GoogleRoutes {
    pub(super) fn new(key: &SecretString, url: &Url) -> Self {
        Self {
            key: key.clone(),
            url: url.clone(),
        }
    }
}

impl Api for GoogleRoutes {
    fn request(&self, http: &reqwest::Client, trip: &Trip) -> RequestBuilder {
        http.post(self.url.clone())
            .header("X-Goog-Api-Key", self.key.expose_secret())
            .header("X-Goog-FieldMask", FIELDS)
            .json(&json!({
                "origins": [waypoint(&trip.origin)],
                "destinations": [waypoint(&trip.destination)],
                "travelMode": "DRIVE",
                "routingPreference": "TRAFFIC_UNAWARE",
            }))
    }

    fn read(&self, answer: &Answer) -> Result<f64, DistanceError> {
        let element = match answer.json().map_err(DistanceError::Unavailable)? {
            Body::Single(element) => Some(element),
            Body::Stream(elements) => elements.into_iter().next(),
        };
        let refused = |words: String| Err(DistanceError::Unavailable(words));
        let Some(element) = element else {
            return refused("a matrix without an element".to_owned());
        };
        let status = element.error.unwrap_or(element.status);
        match (status.code, element.condition.as_str()) {
            (0, "ROUTE_EXISTS") => Ok(element.distance_meters),
            (0, "ROUTE_NOT_FOUND") => Err(DistanceError::NoRoute),
            (0, other) => refused(format!("the route's condition is {other:?}")),
            (code, _) => refused(format!("code {code} {}: {}", status.status, status.message)),
        }
    }

    fn key(&self) -> Option<&SecretString> {
        Some(&self.key)
    }
}

fn waypoint(coordinates: &Coordinates) -> Value {
    let latitude = coordinates.latitude();
    let longitude = coordinates.longitude();
    json!({ "waypoint": { "location": { "latLng": { "latitude": latitude, "longitude": longitude } } } })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::GoogleRoutes;
    use crate::orders::distance::DistanceError::{self, NoRoute, Unavailable};
    use crate::orders::distance::tests::stand_in::{KEY, Reply, StandIn, lookup};

    async fn answered(status: u16, body: &str) -> (Result<i32, DistanceError>, StandIn) {
        let google = StandIn::start([Reply::with(status, body)]).await;
        let url = google.url("/distanceMatrix/v2:computeRouteMatrix");
        (lookup(GoogleRoutes::new(&KEY.into(), &url)).await, google)
    }

    #[rocket::async_test]
    async fn the_request_is_the_documented_one_and_the_metres_are_read() {
        let body = r#"[{"status": {}, "distanceMeters": 1886, "condition": "ROUTE_EXISTS"}]"#;
        let (outcome, google) = answered(200, body).await;
        assert_eq!(outcome, Ok(1886));
        let request = google.only_request();
        let line = "POST /distanceMatrix/v2:computeRouteMatrix HTTP/1.1";
        assert_eq!(request.line(), line);
        for header in [
            "x-goog-api-key: AIza-a-key-for-tests",
            "x-goog-fieldmask: status,condition,distanceMeters",
            "content-type: application/json",
        ] {
            assert!(request.head.lines().any(|line| line == header), "{header}");
        }
        assert_eq!(
            serde_json::from_str::<Value>(&request.body).unwrap(),
            documented_body()
        );
    }

    fn documented_body() -> Value {
        json!({
            "origins": [{"waypoint": {"location":
                {"latLng": {"latitude": 52.517_037, "longitude": 13.388_86}}}}],
            "destinations": [{"waypoint": {"location":
                {"latLng": {"latitude": 52.529_407, "longitude": 13.397_634}}}}],
            "travelMode": "DRIVE",
            "routingPreference": "TRAFFIC_UNAWARE",
        })
    }

    #[rocket::async_test]
    async fn an_omitted_distance_is_zero() {
        let (outcome, _) = answered(200, r#"[{"status":{},"condition":"ROUTE_EXISTS"}]"#).await;
        assert_eq!(outcome, Ok(0));
    }

    #[rocket::async_test]
    async fn an_element_without_a_road_is_no_route() {
        let body = r#"[{"status": {}, "condition": "ROUTE_NOT_FOUND"}]"#;
        let (outcome, google) = answered(200, body).await;
        assert_eq!(outcome, Err(NoRoute));
        google.only_request();
    }

    #[rocket::async_test]
    async fn a_refusal_is_logged_in_googles_words_and_not_retried() {
        let error = r#"{"error": {"code": 403, "status": "PERMISSION_DENIED",
            "message": "The request is missing a valid API key.", "details": []}}"#;
        for body in [error.to_owned(), format!("[{error}]")] {
            let (outcome, google) = answered(403, &body).await;
            let reason = "HTTP 403 Forbidden: code 403 PERMISSION_DENIED: \
                          The request is missing a valid API key.";
            assert_eq!(outcome, Err(Unavailable(reason.to_owned())));
            google.only_request();
        }
    }

    #[rocket::async_test]
    async fn an_answer_with_missing_members_is_unavailable() {
        for body in [
            "[]",
            "[{}]",
            "{}",
            "null",
            r#"[{"status": {}, "distanceMeters": 1886}]"#,
            r#"[{"condition": "ROUTE_MATRIX_ELEMENT_CONDITION_UNSPECIFIED"}]"#,
            r#"[{"status": {"code": 3, "message": "Bad."}, "condition": "ROUTE_NOT_FOUND"}]"#,
            r#"[{"status": {"code": 14}, "condition": "ROUTE_EXISTS", "distanceMeters": 7}]"#,
            r#"[{"condition": "ROUTE_EXISTS", "distanceMeters": -7}]"#,
            r#"[{"condition": "ROUTE_EXISTS", "distanceMeters": "far"}]"#,
        ] {
            let (outcome, _) = answered(200, body).await;
            assert!(matches!(outcome, Err(Unavailable(_))), "{body}: {outcome:?}");
        }
    }
}
