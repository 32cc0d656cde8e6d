//! A server that is further away: a proxy on 127.0.0.1 that holds back each byte for the same time.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Serves until the program ends, and tells the port.
pub fn serve(server: PathBuf, one_way: Duration) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = UnixStream::connect(&server).and_then(|server| connect(client, server, one_way));
        }
    });
    Ok(port)
}

fn connect(client: TcpStream, server: UnixStream, one_way: Duration) -> Result<()> {
    client.set_nodelay(true)?;
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    pass(from_client, server, one_way, |server| {
        server.shutdown(Shutdown::Both)
    });
    pass(from_server, client, one_way, |client| {
        client.shutdown(Shutdown::Both)
    });
    Ok(())
}

/// Two threads: what waits to be sent does not delay what arrives.
fn pass<T>(mut from: impl Read + Send + 'static, mut to: T, one_way: Duration, end: fn(&T) -> Result<()>)
where
    T: Write + Send + 'static,
{
    let (sender, receiver) = channel();
    spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let bytes: Vec<u8> = buffer.iter().take(length).copied().collect();
            if sender.send((Instant::now() + one_way, bytes)).is_err() {
                break;
            }
        }
    });
    spawn(move || {
        for (due, bytes) in receiver {
            sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        end(&to)
    });
}
