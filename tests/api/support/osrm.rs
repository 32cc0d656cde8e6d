//! Stands in for an OSRM server.

use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpListener;
use rocket::tokio::spawn;

/// Answers every request with this status and body, as long as the test runs; returns its address.
pub async fn osrm(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = connection.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /route/v1/driving/"));
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}")
}
