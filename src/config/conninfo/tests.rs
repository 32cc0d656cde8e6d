//! Strings as operators write them, and the strings for libpq.

use super::{Strings, addresses, is_sound, pairs};

const DEFAULTS: &str = "connect_timeout=2&keepalives=1&keepalives_idle=5&keepalives_interval=1\
                        &keepalives_count=3&tcp_user_timeout=5000";

fn hosts(given: &str) -> Vec<String> {
    Strings::of(given).hosts
}

#[test]
fn one_host_gets_the_defaults_before_its_own_parameters() {
    for (given, before, after) in [
        ("postgresql://me@a:1/orders", "postgresql://me@a:1/orders", ""),
        ("postgres://", "postgres://", ""),
        ("postgresql://a?user=x", "postgresql://a", "&user=x"),
        ("postgresql://a?", "postgresql://a", ""),
        (
            "postgresql:///db?host=%2Ftmp&port=5",
            "postgresql:///db",
            "&host=%2Ftmp&port=5",
        ),
        (
            "postgresql://a/db?connect_timeout=9",
            "postgresql://a/db",
            "&connect_timeout=9",
        ),
        ("postgresql://me:what?@a/db", "postgresql://me:what?@a/db", ""),
    ] {
        let expected = format!("{before}?{DEFAULTS}{after}");
        let strings = Strings::of(given);
        assert_eq!(
            (&strings.whole, &strings.hosts[..]),
            (&expected, &[expected.clone()][..])
        );
    }
    let pairs = format!("{} host=a connect_timeout=9", DEFAULTS.replace('&', " "));
    assert_eq!(hosts("host=a connect_timeout=9"), [pairs]);
}

#[test]
fn each_of_several_hosts_has_its_own_string() {
    let attrs = format!("{DEFAULTS}&target_session_attrs=read-write");
    let url = |host: &str| format!("postgresql://me@a:1,b,[::1]:3/db?{attrs}&{host}");
    assert_eq!(
        hosts("postgresql://me@a:1,b,[::1]:3/db"),
        [
            url("host=a&port=1"),
            url("host=b&port="),
            url("host=%3A%3A1&port=3")
        ]
    );
    let url = |host: &str| format!("postgresql:///db?{attrs}&host=%2Fx,%2Fy&port=5432&{host}");
    assert_eq!(
        hosts("postgresql:///db?host=%2Fx,%2Fy&port=5432"),
        [url("host=%2Fx&port=5432"), url("host=%2Fy&port=5432")]
    );
    let pairs = |host: &str| format!("{} host='a b,c' user=x {host}", attrs.replace('&', " "));
    assert_eq!(
        hosts("host='a b,c' user=x"),
        [pairs("host='a b'"), pairs("host='c'")]
    );
}

#[test]
fn quoting_is_kept_in_the_string_of_a_host() {
    let hosts = hosts(r"host='a\'\\,b'");
    assert!(hosts[0].ends_with(r" host='a\'\\'"), "{hosts:?}");
}

#[test]
fn hosts_are_parsed_as_by_libpq() {
    for (given, count) in [
        ("host=a,b host=c", 1),
        ("host=a host=b,c", 2),
        ("host=a,b hostaddr=", 2),
        ("postgresql://a,b/db?application_name=me@x", 2),
        ("postgresql://me@a,b/db?application_name=me@x", 2),
    ] {
        assert_eq!(hosts(given).len(), count, "{given}");
    }
}

#[test]
fn a_target_that_the_string_names_stays() {
    let hosts = hosts("postgresql://a,b/db?target_session_attrs=any");
    let (_, own) = hosts[0].split_once("target_session_attrs=read-write&").unwrap();
    assert_eq!(own, "target_session_attrs=any&host=a&port=");
}

#[test]
fn quotes_and_backslashes_are_libpqs() {
    let found = pairs(r"a = 'x \' y' b=c\ d  e=''");
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(found, [("a", "x ' y"), ("b", "c d"), ("e", "")]);
}

#[test]
fn a_password_that_is_not_encoded_is_not_reported_by_libpq() {
    for wrong in ["s3cret%Pass", "s3cret/Pass", "s3cret@Pass", "s3cret?Pass", "s%3"] {
        assert!(
            !is_sound(&format!("postgresql://me:{wrong}@127.0.0.1:5432/db")),
            "{wrong}"
        );
    }
    for right in [
        "postgresql://me:s%40%2Fx@[::1]:5432,two:5433/db?host=x",
        "postgres:///db?host=%2Ftmp&port=5432",
        "postgresql://h,i/db",
        "host=h password='a@b/c%'",
    ] {
        assert!(is_sound(right), "{right}");
    }
}

#[test]
fn numbers_that_do_not_match_are_left_to_libpq() {
    for given in ["host=a,b port=1,2,3", "host=a,b hostaddr=1.1.1.1", "dbname=x"] {
        assert!(addresses(&pairs(given)).is_empty(), "{given}");
    }
}
