//! Simulates an OSRM server that keeps its connections open, as the real one does.

use std::net::SocketAddr;

use rocket::tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::spawn;

const BODY: &str = r#"{"code":"Ok","routes":[{"distance":1728057.3}]}"#;

pub async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            spawn(serve(connection));
        }
    });
    address
}

async fn serve(mut connection: TcpStream) {
    let (reader, mut writer) = connection.split();
    let mut lines = BufReader::new(reader).lines();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() && writer.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
