//! `/metrics` is restricted to private networks, whatever proxies are in between.

use std::net::IpAddr;

use crate::nginx::echo;
use crate::support::Nginx;

const PROXY: &str = "127.0.0.2";

/// The status of `/metrics` for a client at this address with these headers.
async fn status(nginx: &Nginx, from: &str, headers: &[(&str, &str)]) -> u16 {
    let from: IpAddr = from.parse().unwrap();
    let client = reqwest::Client::builder().local_address(from).build().unwrap();
    let mut request = client.get(format!("http://{}/metrics", nginx.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    if status == 403 {
        let body = answer.text().await.unwrap();
        assert!(body.contains(r#""code": "forbidden""#), "{body}");
    }
    status
}

/// Its client is unknown, and may be public.
#[rocket::async_test]
async fn an_untrusted_proxy_does_not_see_them() {
    let nginx = Nginx::before(&[&echo()]);
    assert_eq!(status(&nginx, "127.0.0.1", &[]).await, 200);
    for header in [
        ("X-Forwarded-For", "10.0.0.9"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example"),
        ("X-Real-IP", "10.0.0.9"),
        ("Forwarded", "for=10.0.0.9"),
        ("Via", "1.1 proxy"),
    ] {
        assert_eq!(status(&nginx, "127.0.0.1", &[header]).await, 403, "{header:?}");
    }
}

#[rocket::async_test]
async fn through_a_trusted_proxy_private_clients_see_them() {
    let trusted = format!("{PROXY},192.0.2.0/24");
    let nginx = Nginx::set(&[("TRUSTED_PROXIES", &trusted)], &[&echo()]);
    for (from, forwarded, seen) in [
        (PROXY, "10.0.0.9", 200),
        (PROXY, "203.0.113.9", 403),
        // The client's own entry precedes that of the proxy.
        (PROXY, "10.0.0.9, 203.0.113.9", 403),
        (PROXY, "203.0.113.9, 10.0.0.9", 200),
        // Through two of them.
        (PROXY, "10.0.0.9, 192.0.2.1", 200),
        (PROXY, "203.0.113.9, 192.0.2.1", 403),
        (PROXY, "10.0.0.9, 203.0.113.9, 192.0.2.1", 403),
        // For an unknown client.
        (PROXY, "unknown", 403),
        (PROXY, "192.0.2.1", 403),
        ("127.0.0.3", "10.0.0.9", 403),
    ] {
        let header = ("X-Forwarded-For", forwarded);
        assert_eq!(status(&nginx, from, &[header]).await, seen, "{from} {forwarded}");
    }
    assert_eq!(status(&nginx, PROXY, &[]).await, 403);
    assert_eq!(status(&nginx, PROXY, &[("Forwarded", "for=10.0.0.9")]).await, 403);
    assert_eq!(status(&nginx, PROXY, &[("X-Real-IP", "10.0.0.9")]).await, 403);
    assert_eq!(status(&nginx, "127.0.0.3", &[]).await, 200);
}
