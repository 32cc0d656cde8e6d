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

/// Files that are not the certificate of the good key, and the fault of each.
fn wrong_certificates(good: &Certificate) -> Vec<(String, &'static str)> {
    let certificate = good.read("certificate.pem");
    let half = good.write("half.pem", &certificate[..certificate.len() / 2]);
    let chain = certificate + &good.read("certificate-1024.pem");
    vec![
        (good.path("missing.pem"), "does not exist"),
        (good.directory().to_str().unwrap().to_owned(), "is not a file"),
        (good.path("key.pem"), "does not hold certificates"),
        (half, "does not hold certificates"),
        (good.write("chain.pem", chain), "Nginx refuses (ca key too small)"),
    ]
}

/// Files that are not the key of the good certificate, and the fault of each.
fn wrong_keys(good: &Certificate, other: &Certificate) -> Vec<(String, &'static str)> {
    let (key, encrypted) = (good.path("key.pem"), good.path("encrypted.pem"));
    let encrypt = ["-aes128", "-passout", "pass:secret", "-out", &encrypted];
    openssl(&[["pkey", "-in", &key].as_slice(), &encrypt].concat());
    vec![
        (good.path("missing.pem"), "does not exist"),
        (good.path("certificate.pem"), "does not hold"),
        (encrypted, "does not hold"),
        (other.path("key.pem"), "does not belong to"),
    ]
}

/// A certificate, a key, and the beginning of the message about them.
fn wrong_pairs(good: &Certificate, other: &Certificate) -> Vec<(String, String, String)> {
    let (certificate, key) = (good.path("certificate.pem"), good.path("key.pem"));
    let alone = |set: &str, missing: &str| format!("{set} is set, and {missing} is not");
    let names = |setting: &str, path: &str, fault: &str| format!("{setting} names {path}, which {fault}");
    let [weak, weak_key] = good.of_rsa(1024);
    let said = names("TLS_CERTIFICATE", &weak, "Nginx refuses (ee key too small)");
    let mut pairs = vec![
        (
            certificate.clone(),
            String::new(),
            alone("TLS_CERTIFICATE", "TLS_KEY"),
        ),
        (String::new(), key.clone(), alone("TLS_KEY", "TLS_CERTIFICATE")),
        (weak, weak_key, said),
    ];
    for (path, fault) in wrong_certificates(good) {
        let said = names("TLS_CERTIFICATE", &path, fault);
        pairs.push((path, key.clone(), said));
    }
    for (path, fault) in wrong_keys(good, other) {
        let said = names("TLS_KEY", &path, fault);
        pairs.push((certificate.clone(), path, said));
    }
    pairs
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
