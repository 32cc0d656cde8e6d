//! HTTPS with a certificate and a key, and plain HTTP next to it.

use std::process::Command;

use crate::nginx::certificate::Certificate;
use crate::nginx::echo;
use crate::raw::{Answer, ask};
use crate::support::Nginx;

fn start() -> (Nginx, Certificate) {
    let certificate = Certificate::make();
    let nginx = Nginx::set(&certificate.settings().get(), &[&echo()]);
    (nginx, certificate)
}

/// curl's result for `https://localhost/PATH` with these options: its exit code, and the answer with its head.
fn curl(nginx: &Nginx, certificate: &Certificate, path: &str, options: &[&str]) -> (i32, String) {
    let url = format!("https://localhost:{}{path}", nginx.tls_port);
    let trusted = certificate.path("certificate.pem");
    let always = [
        "--silent",
        "--include",
        "--max-time",
        "20",
        "--cacert",
        &trusted,
        &url,
    ];
    let said = Command::new("curl").args(always).args(options).output().unwrap();
    let answer = String::from_utf8_lossy(&said.stdout).to_ascii_lowercase();
    (said.status.code().unwrap(), answer)
}

const HSTS: &str = "\nstrict-transport-security: max-age=31536000\r\n";

#[test]
fn https_is_answered_over_http_2_and_with_hsts() {
    let (nginx, certificate) = start();
    let (code, answer) = curl(&nginx, &certificate, "/orders/1", &[]);
    assert_eq!(code, 0, "{answer}");
    assert!(answer.starts_with("http/2 200 "), "{answer}");
    assert_eq!(answer.matches(HSTS).count(), 1, "{answer}");
    assert!(answer.contains("\nx-forwarded-proto: https\r\n"), "{answer}");
    assert!(
        answer.contains(&format!("\nhost: localhost:{}\r\n", nginx.tls_port)),
        "{answer}"
    );
    let (_, answer) = curl(&nginx, &certificate, "/orders/1", &["--http1.1"]);
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
}

#[test]
fn nginxs_own_refusals_over_https_are_json_with_hsts() {
    let (nginx, certificate) = start();
    let large = certificate.write("large", [b' '; 100_000]);
    let body = format!("@{large}");
    for (path, options, status) in [
        ("/get/one", &[][..], 401),
        ("/orders", &["--data-binary", &body], 413),
        ("/orders/<1>", &[], 400),
        ("/", &["--request", "BREW"], 501),
    ] {
        let (code, answer) = curl(&nginx, &certificate, path, options);
        assert_eq!(code, 0, "{answer}");
        assert!(answer.starts_with(&format!("http/2 {status} ")), "{answer}");
        assert_eq!(answer.matches(HSTS).count(), 1, "{answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str::<serde_json::Value>(body).unwrap_or_else(|_| panic!("{answer}"));
    }
}

#[test]
fn tls_is_1_2_or_1_3() {
    let (nginx, certificate) = start();
    for version in ["1.2", "1.3"] {
        let at_least = format!("--tlsv{version}");
        let options = [at_least.as_str(), "--tls-max", version];
        assert_eq!(curl(&nginx, &certificate, "/livez", &options).0, 0, "{version}");
    }
    // At the lowest security level, so that the client does not refuse first.
    let old = ["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"];
    let (code, _) = curl(&nginx, &certificate, "/livez", &old);
    assert_eq!(code, 35);
}

fn redirected(answer: &Answer, to: &str) {
    assert_eq!(answer.status, 308, "{answer:?}");
    assert_eq!(answer.code(), "https_required");
    assert_eq!(answer.head.matches("location: ").count(), 1, "{answer:?}");
    assert_eq!(answer.header("location"), Some(to));
    assert_eq!(answer.header("strict-transport-security"), None);
}

#[test]
fn plain_http_is_redirected_to_the_same_address() {
    let (nginx, _certificate) = start();
    let port = nginx.tls_port;
    for (request, host, path) in [
        (
            "GET /orders?page=1&limit=2 HTTP/1.1\r\nHost: localhost:8080",
            "localhost",
            "/orders?page=1&limit=2",
        ),
        ("GET / HTTP/1.1\r\nHost: shop.example", "shop.example", "/"),
        ("GET /a%20b HTTP/1.1\r\nHost: [::1]:80", "[::1]", "/a%20b"),
        ("PATCH /orders/1 HTTP/1.1\r\nHost: x", "x", "/orders/1"),
        (
            "POST /set HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000",
            "x",
            "/set",
        ),
        (
            "POST /set HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked",
            "x",
            "/set",
        ),
        (
            "GET /metrics HTTP/1.1\r\nHost: x\r\nVia: 1.1 proxy",
            "x",
            "/metrics",
        ),
        ("BREW /tea HTTP/1.1\r\nHost: x", "x", "/tea"),
        ("GET /livez/x HTTP/1.0", "127.0.0.1", "/livez/x"),
    ] {
        let answer = ask(&nginx.address, format!("{request}\r\n\r\n").as_bytes()).unwrap();
        redirected(&answer, &format!("https://{host}:{port}{path}"));
    }
}

#[test]
fn a_redirected_request_keeps_its_method_and_body() {
    let (nginx, certificate) = start();
    let plain = format!(
        "http://{}/orders",
        nginx.address.replace("127.0.0.1", "localhost")
    );
    let trusted = certificate.path("certificate.pem");
    let options = [
        "--silent",
        "--location",
        "--cacert",
        &trusted,
        "--data",
        "a body",
        &plain,
    ];
    let said = Command::new("curl").args(options).output().unwrap();
    let head = String::from_utf8(said.stdout).unwrap();
    assert!(head.starts_with("POST /orders "), "{head}");
    assert!(head.contains("Content-Length: 6"), "{head}");
}

#[test]
fn plain_http_on_the_https_port_is_redirected_too() {
    let (nginx, _certificate) = start();
    let address = format!("127.0.0.1:{}", nginx.tls_port);
    let answer = ask(&address, b"GET /orders/1 HTTP/1.1\r\nHost: x:80\r\n\r\n").unwrap();
    assert_eq!(
        answer.header("location"),
        Some(&*format!("https://x:{}/orders/1", nginx.tls_port))
    );
    assert_eq!((answer.status, answer.code().as_str()), (308, "https_required"));
}

#[test]
fn health_checks_and_refusals_stay_on_the_plain_port() {
    let (nginx, _certificate) = start();
    let alive = ask(&nginx.address, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(alive.status, 200);
    let refused = ask(&nginx.address, b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (400, "bad_request"));
}

#[test]
fn without_a_certificate_there_is_no_https() {
    let nginx = Nginx::before(&[&echo()]);
    let answer = ask(&nginx.address, b"GET /orders/1 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), None);
    std::net::TcpStream::connect(("127.0.0.1", nginx.tls_port)).unwrap_err();
}
