//! Simulates an OSRM server.

use std::sync::{Arc, Mutex};

use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::spawn;

/// Answers every request with this status and body, as long as the test runs; returns its address.
pub async fn osrm(status: &str, body: &str) -> String {
    osrm_noting(status, body).await.0
}

/// The first line of each request.
type Lines = Arc<Mutex<Vec<String>>>;

/// As [`osrm`], and records the requests.
pub async fn osrm_noting(status: &str, body: &str) -> (String, Lines) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let lines = Lines::default();
    let noted = Arc::clone(&lines);
    spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            spawn(serve(connection, answer.clone(), Arc::clone(&noted)));
        }
    });
    (format!("http://{address}"), lines)
}

async fn serve(mut connection: TcpStream, answer: String, lines: Lines) {
    let mut request = [0; 4096];
    let read = connection.read(&mut request).await.unwrap_or_default();
    if read == 0 {
        return; // the client has disconnected
    }
    assert!(request[..read].starts_with(b"GET /route/v1/driving/"));
    let request = String::from_utf8_lossy(&request[..read]);
    lines
        .lock()
        .unwrap()
        .push(request.lines().next().unwrap().to_owned());
    let _ = connection.write_all(answer.as_bytes()).await;
}
