//! A thousand clients that send one byte per second: others are unaffected, and memory stays bounded.
//!
//! A separate program: next to other tests it would measure those.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that panics has failed, as it should; its figures are worth a line"
)]

#[path = "../raw/mod.rs"]
mod raw;
#[path = "../api/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "it is that of all tests, and this one uses a part"
)]
mod support;

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::raw::{ask, connect};
use crate::support::{App, Nginx, TOKEN};

const CLIENTS: usize = 1000;

/// The pause between bytes of different clients: each sends one per second.
const PAUSE: Duration = Duration::from_millis(1);

/// Duration: `SLOW_SECONDS`.
fn seconds() -> u64 {
    std::env::var("SLOW_SECONDS").map_or(10, |seconds| seconds.parse().unwrap())
}

/// How a slow request begins: within its head, or with a short body, a long body, or one without a length.
fn beginning(client: usize) -> String {
    let post = |path: &str, rest: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\n{rest}\r\n\r\n")
    };
    match client % 4 {
        0 => "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(),
        1 => post("/orders", "Content-Length: 10000"),
        2 => post("/set", "Content-Length: 7000000"),
        _ => post("/api/queue/push", "Transfer-Encoding: chunked") + "ffff\r\n",
    }
}

fn begin(address: &str) -> Vec<TcpStream> {
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let mut connection = connect(address);
        connection.write_all(beginning(client).as_bytes()).unwrap();
        clients.push(connection);
    }
    clients
}

/// The memory of these processes, in KiB.
fn resident(processes: &[u32]) -> usize {
    let of = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim_end_matches("kB").trim().parse::<usize>().unwrap()
    };
    processes.iter().map(of).sum()
}

/// The durations of the requests for `/livez`.
fn ask_until(end: Instant, address: &str) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        let alive = ask(address, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(alive.status, 200);
        times.push(began.elapsed());
        thread::sleep(Duration::from_millis(10));
    }
    times.sort_unstable();
    times
}

fn p99(times: &[Duration]) -> Duration {
    times[times.len() * 99 / 100]
}

fn try_at(address: &str, processes: &[u32]) {
    let before = resident(processes);
    let calm = ask_until(Instant::now() + Duration::from_secs(3), address);
    let mut clients = begin(address);
    let end = Instant::now() + Duration::from_secs(seconds());
    let times = thread::scope(|scope| {
        let others = scope.spawn(|| ask_until(end, address));
        // Each at its own moment, one second after its previous byte.
        let mut next = Instant::now();
        for connection in (0..CLIENTS).cycle() {
            if next > end {
                break;
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
            let _ = clients[connection].write(b"x"); // it may have been answered or closed
            next += PAUSE;
        }
        others.join().unwrap()
    });
    let grown = resident(processes).saturating_sub(before);
    let (p99, calm) = (p99(&times), p99(&calm));
    eprintln!("{CLIENTS} slow clients: /livez p99 {p99:?}, {calm:?} without them; {grown} KiB more");
    // On a busy machine the clients are not to blame.
    assert!(p99 < Duration::from_millis(50).max(2 * calm), "{p99:?} {calm:?}");
    assert!(grown < 64 * 1024, "{grown} KiB");
}

#[test]
fn a_thousand_slow_clients_do_not_delay_others() {
    rlimit::increase_nofile_limit(8192).unwrap();
    let (app, _database) = App::start();
    try_at(&app.address, &[app.pid()]);
    let nginx = Nginx::before(&[&app.address]);
    let processes = [nginx.workers(), vec![app.pid()]].concat();
    try_at(&nginx.address, &processes);
}
