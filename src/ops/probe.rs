//! Checks the health of the local service: the command of a container's health check.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// The time limit of the connection, and of the answer; the service's own checks take at most a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// The service is not healthy.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nothing answers there, or not in time.
    #[error("no answer from {0}: {1}")]
    NoAnswer(SocketAddr, io::Error),
    /// It answers with another status than `200`.
    #[error("{0}")]
    Unwell(String),
}

/// The body of the `/healthcheck` of the service that listens on `listen`.
///
/// # Errors
/// The service does not answer within four seconds, or with another status than `200`.
pub fn ask(listen: SocketAddr) -> Result<String, ProbeError> {
    let address = reachable(listen);
    let answer = answer(address).map_err(|error| ProbeError::NoAnswer(address, error))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(body.to_owned())
    } else {
        let status = head.lines().next().unwrap_or_default();
        Err(ProbeError::Unwell(format!("{status}: {body}")))
    }
}

/// A service that listens on all addresses is reached on the loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(ip, listen.port())
}

fn answer(address: SocketAddr) -> io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    write!(
        connection,
        "GET /healthcheck HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn all_addresses_are_probed_on_the_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("10.1.2.3:8000", "10.1.2.3:8000"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
