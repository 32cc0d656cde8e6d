//! The memory and time that bodies may take while they are read.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::raw::{Framing, Sent, answer, connect};
use crate::support::{App, TOKEN};

const MIB: usize = 1024 * 1024;

fn set(body: usize, framing: Framing) -> Sent<'static> {
    Sent {
        method: "POST",
        path: "/set",
        token: Some(TOKEN),
        body,
        framing,
        expects: false,
    }
}

/// Declares 7 MiB, and never sends them all.
fn hog(app: &App) -> TcpStream {
    let mut connection = connect(&app.address);
    let head = set(7 * MIB, Framing::Length).head();
    connection
        .write_all(format!("{head}more than the first bytes").as_bytes())
        .unwrap();
    connection
}

#[test]
fn bodies_without_room_are_refused_soon_and_small_ones_are_not() {
    let (app, _database) = App::start();
    let hogs: Vec<_> = (0..4).map(|_| hog(&app)).collect();
    // Each has room once another one is refused.
    while set(6 * MIB, Framing::Length)
        .then_read(&app.address)
        .unwrap()
        .status
        != 503
    {}
    for framing in [Framing::Length, Framing::Chunks] {
        let began = Instant::now();
        let refused = set(6 * MIB, framing).then_read(&app.address).unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    let small = set(15_000, Framing::Chunks).then_read(&app.address).unwrap();
    assert_eq!((small.status, small.code().as_str()), (400, "invalid_body"));
    drop(hogs);
    while set(6 * MIB, Framing::Length)
        .then_read(&app.address)
        .unwrap()
        .status
        == 503
    {}
}

#[test]
fn a_stalled_body_is_408_and_nothing_is_done() {
    let (app, database) = App::start();
    let mut connection = connect(&app.address);
    let head = "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n";
    connection
        .write_all(format!("{head}more than the first bytes").as_bytes())
        .unwrap();
    let refused = answer(&mut connection).unwrap();
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (408, "request_timeout")
    );
    assert_eq!(database.orders(), 0);
}
