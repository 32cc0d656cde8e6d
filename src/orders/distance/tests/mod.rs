//! Common to every provider: their choice, the range of the distance, the secrecy of keys.

mod faults;
mod limits;
pub(super) mod stand_in;

use self::stand_in::{KEY, Reply, StandIn, reason, trip};
use super::{metres, provider};
use crate::config;

#[test]
fn metres_are_rounded_and_must_fit_the_column() {
    assert_eq!(metres(0.0), Ok(0));
    assert_eq!(metres(1234.5), Ok(1235));
    assert_eq!(metres(2_147_483_647.0), Ok(i32::MAX));
    for wrong in [-0.1, 2_147_483_647.1, f64::NAN, f64::INFINITY] {
        assert!(metres(wrong).is_err(), "{wrong}");
    }
}

fn every_provider(stand_in: &StandIn) -> [config::Distance; 3] {
    [
        config::Distance::Google {
            key: KEY.into(),
            url: stand_in.url("/google"),
        },
        config::Distance::GoogleRoutes {
            key: KEY.into(),
            url: stand_in.url("/routes"),
        },
        config::Distance::Osrm {
            url: stand_in.url(&format!("/osrm?key={KEY}")),
        },
    ]
}

#[rocket::async_test]
async fn the_configuration_chooses_the_provider() {
    let haversine = provider(&config::Distance::Haversine, &config::Outbound::default()).unwrap();
    assert_eq!(haversine.distance(&trip()).await, Ok(1498));
    for (index, start) in ["GET /google?", "POST /routes ", "GET /osrm/route/v1/"]
        .iter()
        .enumerate()
    {
        let stand_in = StandIn::start([Reply::with(404, "")]).await;
        let chosen = provider(&every_provider(&stand_in)[index], &config::Outbound::default()).unwrap();
        reason(chosen.distance(&trip()).await);
        let request = stand_in.only_request();
        assert!(request.line().starts_with(start), "{}", request.line());
    }
}

/// Each repeats the key where it can.
fn telltales() -> Vec<Reply> {
    let refusal = format!(
        r#"{{"status": "{KEY}", "error_message": "{KEY}",
            "error": {{"code": 400, "message": "{KEY}", "status": "{KEY}"}}}}"#
    );
    let moved = format!("HTTP/1.1 302 X\r\nlocation: /?key={KEY}\r\ncontent-length: 0\r\n\r\n");
    vec![
        Reply::with(200, &refusal),
        Reply::with(503, format!("\"{KEY}\"")),
        Reply::Send(moved),
        Reply::Send(format!("HTTP/1.1 {KEY}\r\n\r\n")),
    ]
}

#[rocket::async_test]
async fn no_reason_contains_the_key_even_if_the_provider_repeats_it() {
    for reply in telltales() {
        let stand_in = StandIn::start([reply]).await;
        let [google, routes, _] = every_provider(&stand_in);
        for config in [google, routes] {
            let provider = provider(&config, &config::Outbound::default()).unwrap();
            let reason = reason(provider.distance(&trip()).await);
            assert!(!reason.contains(KEY), "{reason}");
        }
    }
}

#[rocket::async_test]
async fn no_reason_contains_the_address_which_may_hold_a_key() {
    let not_http = Reply::Send("SSH-2.0-OpenSSH\r\n\r\n".to_owned());
    for reply in [Reply::hang_up(), Reply::Endless, not_http, Reply::with(404, "")] {
        let stand_in = StandIn::start([reply]).await;
        for config in every_provider(&stand_in) {
            let provider = provider(&config, &config::Outbound::default()).unwrap();
            let reason = reason(provider.distance(&trip()).await);
            assert!(!reason.contains(KEY) && !reason.contains("127.0.0.1"), "{reason}");
        }
    }
}
