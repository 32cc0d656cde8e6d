//! Many concurrent clients that send slowly, or a lot: no container runs out of memory.

#![allow(clippy::print_stderr, reason = "the figures are worth a line")]

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::raw::{Answer, answer, ask, connect};
use crate::stack::{SERVICES, containers, inspect, run, token, up, url};

fn address() -> String {
    url("").trim_start_matches("http://").to_owned()
}

/// Checks that no process in any container was killed for memory; holds the peak of `docker stats`, in percent.
struct Watch {
    all: Vec<String>,
    restarts: Vec<i64>,
}

impl Watch {
    fn begin() -> Self {
        let all: Vec<String> = SERVICES.iter().flat_map(|service| containers(service)).collect();
        let restarts = all.iter().map(|container| restarts(container)).collect();
        Self { all, restarts }
    }

    /// The current memory use of the fullest container, in percent.
    fn fullest(&self) -> f64 {
        let mut arguments = vec!["stats", "--no-stream", "--format", "{{.MemPerc}}"];
        arguments.extend(self.all.iter().map(String::as_str));
        let shares = run("docker", &arguments);
        let share = |line: &str| line.trim_end_matches('%').parse::<f64>().unwrap();
        shares.lines().map(share).fold(0.0, f64::max)
    }

    fn end(self) {
        for (container, before) in self.all.iter().zip(self.restarts) {
            assert_eq!(restarts(container), before, "{container}");
            assert_eq!(inspect(container)["State"]["OOMKilled"], false, "{container}");
            assert_eq!(killed(container), 0, "{container}");
        }
    }
}

fn restarts(container: &str) -> i64 {
    inspect(container)["RestartCount"].as_i64().unwrap()
}

/// Processes in the container that were killed for memory; Docker reports only the first one.
fn killed(container: &str) -> u64 {
    let inside =
        "cat /sys/fs/cgroup/memory.events 2>/dev/null || cat /sys/fs/cgroup/memory/memory.oom_control";
    let events = run("docker", &["exec", container, "sh", "-c", inside]);
    let killed = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    killed.unwrap().parse().unwrap()
}

const UPLOAD: usize = 7_000_000;

/// Sends 7 MB at 600 kB/s, and reads the answer.
fn upload(authorization: &str) -> Result<Answer, String> {
    let mut connection = connect(&address());
    let head = format!("POST /set HTTP/1.1\r\nHost: x\r\n{authorization}Content-Length: {UPLOAD}\r\n\r\n");
    connection.write_all(head.as_bytes()).unwrap();
    let part = vec![b'x'; 60_000];
    let mut left = UPLOAD;
    while left > 0 {
        let size = left.min(part.len());
        if connection.write_all(&part[..size]).is_err() {
            break; // answered long ago, and the server has closed
        }
        left -= size;
        thread::sleep(Duration::from_millis(100));
    }
    answer(&mut connection)
}

fn upload_sixty(authorization: &str) -> Vec<Result<Answer, String>> {
    thread::scope(|scope| {
        let uploads: Vec<_> = (0..60).map(|_| scope.spawn(|| upload(authorization))).collect();
        uploads.into_iter().map(|upload| upload.join().unwrap()).collect()
    })
}

#[test]
fn sixty_concurrent_uploads_do_not_exhaust_memory() {
    up(1);
    let right = format!("Authorization: {}\r\n", token());
    for (authorization, status) in [("", 401), ("Authorization: wrong\r\n", 401), (&right, 400)] {
        let watch = Watch::begin();
        let (answers, fullest) = thread::scope(|scope| {
            let uploads = scope.spawn(|| upload_sixty(authorization));
            let mut fullest: f64 = 0.0;
            while !uploads.is_finished() {
                fullest = fullest.max(watch.fullest());
            }
            (uploads.join().unwrap(), fullest)
        });
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert!(answers.iter().any(|answer| answer.status == status), "{status}");
        for answer in answers {
            // Of those that are present at the same moment, the service reads as many as it has room for.
            assert!([status, 503].contains(&answer.status), "{answer:?}");
            answer.code();
        }
        eprintln!("sixty uploads, {authorization:?}: {fullest} % of the fullest container's memory");
        watch.end();
    }
}

const CLIENTS: usize = 1000;

/// The pause between bytes of different clients: each sends one per second.
const PAUSE: Duration = Duration::from_millis(1);

/// How a slow request begins: within its head, or with a short body, a long body, or one without a length.
fn beginning(client: usize, token: &str) -> String {
    let post = |path: &str, rest: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{rest}\r\n\r\n")
    };
    match client % 4 {
        0 => "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(),
        1 => post("/orders", "Content-Length: 10000"),
        2 => post("/set", "Content-Length: 7000000"),
        _ => post("/api/queue/push", "Transfer-Encoding: chunked") + "ffff\r\n",
    }
}

/// The sorted durations of the requests for `/livez`.
fn ask_until(end: Instant) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        let alive = ask(&address(), b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(alive.status, 200);
        times.push(began.elapsed());
        thread::sleep(Duration::from_millis(10));
    }
    times.sort_unstable();
    times
}

#[test]
fn a_thousand_clients_that_send_a_byte_per_second_do_not_delay_others() {
    rlimit::increase_nofile_limit(8192).unwrap();
    up(1);
    let (watch, token) = (Watch::begin(), token());
    let mut clients: Vec<TcpStream> = Vec::new();
    for client in 0..CLIENTS {
        let mut connection = connect(&address());
        connection
            .write_all(beginning(client, &token).as_bytes())
            .unwrap();
        clients.push(connection);
    }
    let end = Instant::now() + Duration::from_secs(30);
    let times = thread::scope(|scope| {
        let others = scope.spawn(|| ask_until(end));
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
    let (p99, fullest) = (times[times.len() * 99 / 100], watch.fullest());
    eprintln!("{CLIENTS} slow clients: /livez p99 {p99:?}, {fullest} % of the fullest container's memory");
    assert!(p99 < Duration::from_millis(50), "{p99:?}");
    assert!(fullest < 90.0, "{fullest}");
    watch.end();
}
