//! Clients that send a request and disconnect, and the kernel's view of their connections.

use std::collections::HashSet;
use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Clients that have sent their requests.
pub struct Clients {
    connections: Vec<TcpStream>,
    server: u16,
    ports: HashSet<u16>,
}

impl Clients {
    /// This many, each on its own connection.
    pub fn ask(address: &str, request: &str, clients: usize) -> Self {
        let ask = |_| {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.write_all(request.as_bytes()).unwrap();
            connection
        };
        let connections: Vec<_> = (0..clients).map(ask).collect();
        let port = |connection: &TcpStream| connection.local_addr().unwrap().port();
        Self {
            server: connections[0].peer_addr().unwrap().port(),
            ports: connections.iter().map(port).collect(),
            connections,
        }
    }

    /// Returns once the server has read every request.
    pub fn until_read(&self) {
        until("all requests are read", || {
            let unread = self.unread();
            unread.len() == self.ports.len() && unread.iter().all(|bytes| *bytes == 0)
        });
    }

    /// Returns once the server has also closed every connection.
    pub fn leave(mut self) {
        self.connections.clear();
        until("all connections are closed", || self.unread().is_empty());
    }

    /// Bytes that the server has not read, per open connection.
    fn unread(&self) -> Vec<u64> {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let of = |line: &str| {
            let columns: Vec<_> = line.split_whitespace().collect();
            let (_, unread) = columns[4].split_once(':').unwrap();
            let is_open = ["01", "08"].contains(&columns[3]); // established, or closed only by the client
            let is_ours = port(columns[1]) == self.server && self.ports.contains(&port(columns[2]));
            (is_open && is_ours).then(|| u64::from_str_radix(unread, 16).unwrap())
        };
        table.lines().skip(1).filter_map(of).collect()
    }
}

/// The port of an address in the kernel's notation.
fn port(address: &str) -> u16 {
    let (_, port) = address.split_once(':').unwrap();
    u16::from_str_radix(port, 16).unwrap()
}

/// Polls.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(5), "never: {what}");
        sleep(Duration::from_millis(1));
    }
}
