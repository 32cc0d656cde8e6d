//! The client's address behind a proxy, as Nginx determines it.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};

use serde_json::Value;

use crate::nginx::{echo, head_value};
use crate::raw::{Answer, answer, connect};
use crate::support::Nginx;

const PROXY: &str = "127.0.0.2";

/// The headers that the service gets for a request with these headers from this address.
async fn told(nginx: &Nginx, from: &str, headers: &[(&str, &str)]) -> [String; 3] {
    let from: IpAddr = from.parse().unwrap();
    let client = reqwest::Client::builder().local_address(from).build().unwrap();
    let mut request = client.get(format!("http://{}/orders/1", nginx.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let head = request.send().await.unwrap().text().await.unwrap();
    ["X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto"].map(|name| {
        head_value(&head, name)
            .unwrap_or_else(|| panic!("{head}"))
            .to_owned()
    })
}

/// The clients in the log, sorted: the workers write their lines independently.
fn logged(nginx: Nginx) -> Vec<String> {
    let client = |line: &String| serde_json::from_str::<Value>(line).unwrap()["client"].take();
    let lines = nginx.stop();
    let clients = lines.iter().map(|line| client(line).as_str().unwrap().to_owned());
    let mut clients: Vec<_> = clients.collect();
    clients.sort_unstable();
    clients
}

const FORGED: [(&str, &str); 3] = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Real-IP", "203.0.113.9"),
];

#[rocket::async_test]
async fn no_proxy_is_trusted_by_default() {
    let nginx = Nginx::before(&[&echo()]);
    let seen = told(&nginx, PROXY, &FORGED).await;
    assert_eq!(seen, [PROXY, "203.0.113.9, 127.0.0.2", "http"]);
    assert_eq!(logged(nginx), [PROXY]);
}

#[rocket::async_test]
async fn only_a_trusted_proxy_is_believed() {
    let nginx = Nginx::set(&[("TRUSTED_PROXIES", PROXY)], &[&echo()]);
    for (from, sent, seen) in [
        (
            PROXY,
            &FORGED[..],
            ["203.0.113.9", "203.0.113.9, 127.0.0.2", "https"],
        ),
        (
            PROXY,
            &[("X-Forwarded-For", "10.9.9.9, 203.0.113.9")],
            ["203.0.113.9", "10.9.9.9, 203.0.113.9, 127.0.0.2", "http"],
        ),
        (
            PROXY,
            &[("X-Forwarded-For", "2001:db8::7")],
            ["2001:db8::7", "2001:db8::7, 127.0.0.2", "http"],
        ),
        (PROXY, &[], [PROXY, PROXY, "http"]),
        (
            PROXY,
            &[("X-Forwarded-Proto", "javascript")],
            [PROXY, PROXY, "http"],
        ),
        (
            "127.0.0.3",
            &FORGED,
            ["127.0.0.3", "203.0.113.9, 127.0.0.3", "http"],
        ),
    ] {
        assert_eq!(told(&nginx, from, sent).await, seen, "{from} {sent:?}");
    }
    let clients = [
        PROXY,
        PROXY,
        "127.0.0.3",
        "2001:db8::7",
        "203.0.113.9",
        "203.0.113.9",
    ];
    assert_eq!(logged(nginx), clients);
}

/// The limit of concurrent uploads of one client; see nginx/large_body.conf.
const UPLOADS: usize = 64;

const CONTINUE: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The beginning of an upload by this client.
fn begin(nginx: &Nginx, client: &str, expect: &str) -> TcpStream {
    let mut connection = connect(&nginx.address);
    let head = format!(
        "POST /set HTTP/1.1\r\nHost: x\r\nAuthorization: any\r\nX-Forwarded-For: {client}\r\n{expect}\
         Content-Length: 100000\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection
}

/// The same; Nginx has counted it.
fn begin_and_count(nginx: &Nginx, client: &str) -> TcpStream {
    let mut connection = begin(nginx, client, "Expect: 100-continue\r\n");
    let mut interim = [0; CONTINUE.len()];
    connection.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, CONTINUE);
    connection
}

/// The rest of it, and its answer.
fn finish(mut connection: TcpStream) -> Answer {
    connection.write_all(&[b'x'; 100_000]).unwrap();
    answer(&mut connection).unwrap()
}

/// One client's limit of uploads, each for `client(n)`; then one more for `last`.
fn status_after_many(nginx: &Nginx, client: impl Fn(usize) -> String, last: &str) -> u16 {
    let begin_one = |number| begin_and_count(nginx, &client(number));
    let uploads: Vec<_> = (0..UPLOADS).map(begin_one).collect();
    let status = finish(begin(nginx, last, "")).status;
    for upload in uploads {
        assert_eq!(finish(upload).status, 200);
    }
    status
}

#[test]
fn a_client_is_limited_by_its_own_address_only_behind_a_trusted_proxy() {
    let upstream = echo();
    let trusting = Nginx::set(&[("TRUSTED_PROXIES", "127.0.0.1")], &[&upstream]);
    let same = |_| "203.0.113.9".to_owned();
    assert_eq!(status_after_many(&trusting, same, "203.0.113.9"), 503);
    assert_eq!(status_after_many(&trusting, same, "203.0.113.10"), 200);
    // A client that forges another address for each request remains one client.
    let careful = Nginx::before(&[&upstream]);
    let forged = |number| format!("203.0.113.{number}");
    assert_eq!(status_after_many(&careful, forged, "198.51.100.1"), 503);
}
