//! Any server of the Open Source Routing Machine.

use reqwest::{RequestBuilder, Url};
use serde::Deserialize;

use super::DistanceError;
use super::online::Api;
use crate::orders::model::Trip;
use crate::outbound::Answer;

/// Documentation: "OSRM HTTP server", general options and route service,
/// <https://github.com/Project-OSRM/osrm-backend/blob/master/docs/http.md>.
pub(super) struct Osrm {
    url: Url,
}

#[derive(Deserialize)]
struct Body {
    code: String,
    message: Option<String>,
    #[serde(default)]
    routes: Vec<Route>,
}

#[derive(Deserialize)]
struct Route {
    /// Metres.
    distance: f64,
}

impl Osrm {
    pub(super) fn new(url: &Url) -> Self {
        Self { url: url.clone() }
    }

    /// OSRM keeps six decimals. An exponent, or in old versions a number without a point, is
    /// a syntax error to it.
    fn route(&self, Trip { origin, destination }: &Trip) -> Url {
        let points = format!(
            "{:.6},{:.6};{:.6},{:.6}",
            origin.longitude(),
            origin.latitude(),
            destination.longitude(),
            destination.latitude(),
        );
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["route", "v1", "driving", &points]);
        }
        url
    }
}

impl Api for Osrm {
    fn request(&self, http: &reqwest::Client, trip: &Trip) -> RequestBuilder {
        http.get(self.route(trip)).query(&[("overview", "false")])
    }

    fn read(&self, answer: &Answer) -> Result<f64, DistanceError> {
        let body: Body = answer.json().map_err(DistanceError::Unavailable)?;
        match (body.code.as_str(), body.routes.first()) {
            ("Ok", Some(route)) => Ok(route.distance),
            // No road leads there, or no road is near one of the points.
            ("NoRoute" | "NoSegment", _) => Err(DistanceError::NoRoute),
            (code, _) => {
                let why = body.message.unwrap_or_default();
                Err(DistanceError::Unavailable(format!("{code}: {why}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Osrm;
    use crate::orders::distance::DistanceError::{self, NoRoute, Unavailable};
    use crate::orders::distance::tests::stand_in::{Reply, StandIn, lookup};

    async fn answered(status: u16, body: &str) -> (Result<i32, DistanceError>, StandIn) {
        let osrm = StandIn::start([Reply::with(status, body)]).await;
        (lookup(Osrm::new(&osrm.url("/"))).await, osrm)
    }

    const FOUND: &str = r#"{"code": "Ok", "waypoints": [{"hint": "x", "distance": 4.1}],
        "routes": [{"legs": [], "weight_name": "routability", "weight": 251.5,
                    "duration": 251.5, "distance": 1886.5}]}"#;

    #[rocket::async_test]
    async fn the_request_is_the_documented_one_and_the_metres_are_rounded() {
        let (outcome, osrm) = answered(200, FOUND).await;
        assert_eq!(outcome, Ok(1887));
        assert_eq!(
            osrm.only_request().line(),
            "GET /route/v1/driving/13.388860,52.517037;13.397634,52.529407\
             ?overview=false HTTP/1.1"
        );
    }

    #[rocket::async_test]
    async fn the_configured_path_and_query_are_kept() {
        for (base, start) in [
            ("", "GET /route/v1/driving/13.388860,"),
            ("/maps/osrm", "GET /maps/osrm/route/v1/driving/13.388860,"),
            ("/maps/osrm/", "GET /maps/osrm/route/v1/driving/13.388860,"),
        ] {
            let osrm = StandIn::start([Reply::with(200, FOUND)]).await;
            lookup(Osrm::new(&osrm.url(&format!("{base}?token=t"))))
                .await
                .unwrap();
            let line = osrm.only_request().line().to_owned();
            assert!(line.starts_with(start), "{line}");
            assert!(line.ends_with("?token=t&overview=false HTTP/1.1"), "{line}");
        }
    }

    #[rocket::async_test]
    async fn points_without_a_road_are_no_route() {
        for body in [
            r#"{"code": "NoRoute", "message": "Impossible route between points"}"#,
            r#"{"code": "NoSegment", "message": "Could not find a matching segment for coordinate 0"}"#,
        ] {
            let (outcome, osrm) = answered(400, body).await;
            assert_eq!(outcome, Err(NoRoute));
            osrm.only_request();
        }
    }

    #[rocket::async_test]
    async fn a_refusal_is_logged_in_osrms_words_and_not_retried() {
        let body = r#"{"code": "InvalidQuery", "message": "Query string malformed"}"#;
        let (outcome, osrm) = answered(400, body).await;
        let reason = "HTTP 400 Bad Request: InvalidQuery: Query string malformed";
        assert_eq!(outcome, Err(Unavailable(reason.to_owned())));
        osrm.only_request();
    }

    #[rocket::async_test]
    async fn an_answer_with_missing_members_is_unavailable() {
        for (status, body) in [
            (200, r#"{"code": "Ok", "routes": []}"#),
            (200, r#"{"code": "Ok"}"#),
            (200, r#"{"code": "Ok", "routes": [{"duration": 1}]}"#),
            (200, r#"{"code": "Ok", "routes": [{"distance": null}]}"#),
            (200, r#"{"code": "Ok", "routes": [{"distance": -1}]}"#),
            (200, r#"{"message": "Ok"}"#),
            (400, FOUND),
        ] {
            let (outcome, _) = answered(status, body).await;
            assert!(matches!(outcome, Err(Unavailable(_))), "{body}: {outcome:?}");
        }
    }
}
