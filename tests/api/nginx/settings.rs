//! Wrong settings of Nginx are refused at the start in one line, and a running Nginx is left alone.

use std::os::unix::fs::MetadataExt;
use std::process::Output;

use crate::nginx::certificate::{Certificate, openssl};
use crate::nginx::echo;
use crate::raw::ask;
use crate::support::Nginx;

/// The one-line message of the refusal.
pub fn refusal(refused: &Output) -> String {
    let said = String::from_utf8(refused.stderr.clone()).unwrap();
    assert!(!refused.status.success(), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn assert_alive(nginx: &Nginx) {
    let alive = ask(&nginx.address, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(alive.status, 200);
}

/// A certificate, a key, and the beginning of the message about them.
fn wrong_pairs(good: &Certificate, other: &Certificate) -> Vec<(String, String, String)> {
    let (certificate, key) = (good.path("certificate.pem"), good.path("key.pem"));
    let directory = good.directory().to_str().unwrap().to_owned();
    let (missing, others) = (good.path("missing.pem"), other.path("key.pem"));
    let encrypted = good.path("encrypted.pem");
    openssl(&[
        "pkey",
        "-in",
        &key,
        "-aes128",
        "-passout",
        "pass:secret",
        "-out",
        &encrypted,
    ]);
    let [weak, weak_key] = good.of_rsa(1024);
    let chain = good.read("certificate.pem") + &good.read("certificate-1024.pem");
    let chain = good.write("chain.pem", chain);
    let half = good.read("certificate.pem");
    let half = good.write("half.pem", &half[..half.len() / 2]);
    let pair = |certificate: &str, key: &str, said: String| (certificate.to_owned(), key.to_owned(), said);
    vec![
        pair(
            &certificate,
            "",
            "TLS_CERTIFICATE is set, and TLS_KEY is not".to_owned(),
        ),
        pair("", &key, "TLS_KEY is set, and TLS_CERTIFICATE is not".to_owned()),
        pair(
            &missing,
            &key,
            format!("TLS_CERTIFICATE names {missing}, which does not exist"),
        ),
        pair(
            &certificate,
            &missing,
            format!("TLS_KEY names {missing}, which does not exist"),
        ),
        pair(
            &directory,
            &key,
            format!("TLS_CERTIFICATE names {directory}, which is not a file"),
        ),
        pair(
            &key,
            &key,
            format!("TLS_CERTIFICATE names {key}, which does not hold certificates"),
        ),
        pair(
            &half,
            &key,
            format!("TLS_CERTIFICATE names {half}, which does not hold certificates"),
        ),
        pair(
            &certificate,
            &certificate,
            format!("TLS_KEY names {certificate}, which does not hold"),
        ),
        pair(
            &certificate,
            &encrypted,
            format!("TLS_KEY names {encrypted}, which does not hold"),
        ),
        pair(
            &certificate,
            &others,
            format!("TLS_KEY names {others}, which does not belong to"),
        ),
        pair(
            &weak,
            &weak_key,
            format!("TLS_CERTIFICATE names {weak}, which Nginx refuses (ee key too small)"),
        ),
        pair(
            &chain,
            &key,
            format!("TLS_CERTIFICATE names {chain}, which Nginx refuses (ca key too small)"),
        ),
    ]
}

#[test]
fn a_wrong_certificate_or_key_is_refused_in_one_line_before_anything_is_stopped() {
    let (good, other, upstream) = (Certificate::make(), Certificate::make(), echo());
    let nginx = Nginx::before(&[&upstream]);
    for (certificate, key, said) in wrong_pairs(&good, &other) {
        let settings = [("TLS_CERTIFICATE", &*certificate), ("TLS_KEY", &*key)];
        let refused = refusal(&nginx.start_again(&settings, &[&upstream]));
        assert!(refused.starts_with(&said), "{refused}");
        assert_alive(&nginx);
    }
    for port in ["https", "0", "65536", "8080"] {
        let [certificate, key] = [good.path("certificate.pem"), good.path("key.pem")];
        let settings = [
            ("TLS_CERTIFICATE", &*certificate),
            ("TLS_KEY", &*key),
            ("TLS_PORT", port),
            ("PORT", "8080"),
        ];
        let refused = refusal(&nginx.start_again(&settings, &[&upstream]));
        assert!(refused.starts_with("TLS_PORT "), "{refused}");
        assert_alive(&nginx);
    }
}

#[test]
fn a_typo_in_the_proxies_is_refused_in_one_line_before_anything_is_stopped() {
    let upstream = echo();
    let nginx = Nginx::before(&[&upstream]);
    for typo in [
        "10.0.0.999",
        "10.0.0",
        "010.0.0.1",
        "10.0.0.1/33",
        "10.0.0.1/",
        "10.0.0.1/8/8",
        "10.0.0.1 10.0.0.2",
        "10.0.0.1;10.0.0.2",
        "proxy.example",
        "2001:db8::/129",
        "2001:db8:::1",
        "1:2:3",
        "1::2::3",
        "12345::1",
        "1:2:3:4:5:6:7:8:9",
        "unix:",
        "0.0.0.0/0",
        "::/0",
        "10.0.0.1; } http {",
    ] {
        let list = format!("192.0.2.7,{typo}");
        let refused = refusal(&nginx.start_again(&[("TRUSTED_PROXIES", &list)], &[&upstream]));
        assert!(
            refused.starts_with(&format!("TRUSTED_PROXIES has \"{typo}\", which is ")),
            "{refused}"
        );
        assert_alive(&nginx);
    }
    let right = " 192.0.2.7, 10.1.0.0/16,2001:db8::/32,::1,fe80::1:2,1:2:3:4:5:6:7:8 ,";
    let started = nginx.start_again(&[("TRUSTED_PROXIES", right)], &[&upstream]);
    assert!(started.status.success(), "{started:?}");
}

#[test]
fn only_its_owner_can_read_the_key() {
    let certificate = Certificate::make();
    let nginx = Nginx::set(&certificate.settings().get(), &[&echo()]);
    let pem = nginx.prefix().join("tls.pem");
    assert!(std::fs::read_to_string(&pem).unwrap().contains("PRIVATE KEY"));
    assert_eq!(std::fs::metadata(&pem).unwrap().mode() & 0o077, 0);
}
