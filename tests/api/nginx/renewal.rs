//! A certificate is renewed while Nginx runs.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::nginx::certificate::{Certificate, openssl};
use crate::nginx::echo;
use crate::support::Nginx;

/// The certificate served to new connections.
fn served(nginx: &Nginx) -> String {
    let script = format!(
        "openssl s_client -connect 127.0.0.1:{} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint",
        nginx.tls_port
    );
    let said = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(said.stdout).unwrap()
}

fn fingerprint(certificate: &Certificate) -> String {
    openssl(&[
        "x509",
        "-noout",
        "-fingerprint",
        "-in",
        &certificate.path("certificate.pem"),
    ])
}

fn until_served(nginx: &Nginx, wanted: &str) {
    let began = Instant::now();
    while served(nginx) != wanted {
        assert!(began.elapsed() < Duration::from_secs(10), "the old one is served");
    }
}

#[test]
fn a_renewed_certificate_is_served_and_a_request_in_flight_is_answered() {
    let certificate = Certificate::make();
    let settings = certificate.settings();
    let nginx = Nginx::set(&settings.get(), &[&echo()]);
    // The body arrives in two parts, one before and one after the renewal.
    let url = format!("https://127.0.0.1:{}/orders", nginx.tls_port);
    let mut upload = Command::new("curl")
        .args([
            "--insecure",
            "--silent",
            "--show-error",
            "--request",
            "POST",
            "--upload-file",
            "-",
            &url,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut body = upload.stdin.take().unwrap();
    body.write_all(&[b'x'; 9_000]).unwrap();
    until_open_connection(&nginx);

    certificate.renew();
    let renewed = nginx.renew(&settings.get());
    assert!(renewed.status.success(), "{renewed:?}");
    until_served(&nginx, &fingerprint(&certificate));
    body.write_all(&[b'x'; 1_000]).unwrap();
    drop(body);
    let mut answer = String::new();
    upload.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(upload.wait().unwrap().success());
    assert!(answer.starts_with("POST /orders "), "{answer}");
    assert!(answer.contains("Content-Length: 10000"), "{answer}");
}

/// Waits for a connection to the port of HTTPS.
fn until_open_connection(nginx: &Nginx) {
    let began = Instant::now();
    let open = format!(":{:04X} 01 ", nginx.tls_port); // the remote end: established
    while !std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&open) {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody connects");
    }
}

#[test]
fn an_unusable_certificate_is_refused_and_the_previous_one_stays() {
    let certificate = Certificate::make();
    let settings = certificate.settings();
    let nginx = Nginx::set(&settings.get(), &[&echo()]);
    let before = fingerprint(&certificate);
    let pem = std::fs::read(nginx.prefix().join("tls.pem")).unwrap();
    // Refused only by Nginx: other parts of its configuration.
    std::fs::write(nginx.prefix().join("site.conf"), "nonsense;").unwrap();
    certificate.renew();
    let renewed = nginx.renew(&settings.get());
    assert!(!renewed.status.success());
    assert_eq!(served(&nginx), before);
    assert_eq!(std::fs::read(nginx.prefix().join("tls.pem")).unwrap(), pem);
}

#[test]
fn without_https_there_is_no_certificate_to_renew() {
    let certificate = Certificate::make();
    let nginx = Nginx::before(&[&echo()]);
    let refused = nginx.renew(&certificate.settings().get());
    assert!(!refused.status.success());
    assert_eq!(
        String::from_utf8(refused.stderr).unwrap(),
        "Nginx was started without TLS_CERTIFICATE and TLS_KEY: start it again with them.\n"
    );
}
