//! A TCP proxy that fails as networks and dying peers do: open connections freeze, new ones are not answered.
//!
//! It uses only the standard library, so another test binary can include this file by `#[path]`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Where a proxy connects to.
#[derive(Clone)]
#[allow(dead_code, reason = "each test binary uses what it needs")]
pub enum Upstream {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Closes all connections when it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// New connections are accepted, and nothing is ever read from or written to them.
    silent: bool,
    /// Connections with a smaller number are frozen.
    frozen_below: usize,
    /// The number of accepted connections, including the silent ones.
    accepted: usize,
    /// Keeps the silent ones open, and closes the others.
    open: Vec<TcpStream>,
    ended: bool,
}

impl Proxy {
    pub fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &upstream, &accepting));
        Self { address, shared }
    }

    /// From now on new connections are accepted and never answered, or forwarded again. Silent ones
    /// stay silent.
    pub fn silence_new(&self, silent: bool) {
        self.shared.state.lock().unwrap().silent = silent;
    }

    /// No data moves any more, in either direction, on the open connections; they stay open.
    pub fn freeze_open(&self) {
        let mut state = self.shared.state.lock().unwrap();
        state.frozen_below = state.accepted;
    }

    /// Frozen connections resume, with nothing lost.
    pub fn thaw(&self) {
        self.shared.state.lock().unwrap().frozen_below = 0;
        self.shared.changed.notify_all();
    }

    /// Closes the open connections.
    #[allow(dead_code, reason = "each test binary uses what it needs")]
    pub fn cut_open(&self) {
        for open in self.shared.state.lock().unwrap().open.drain(..) {
            let _ = open.shutdown(Shutdown::Both);
        }
    }

    /// The number of connections accepted since the start.
    pub fn accepted(&self) -> usize {
        self.shared.state.lock().unwrap().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().ended = true;
        self.thaw();
        self.cut_open();
        let _ = TcpStream::connect(self.address); // so that the accepting thread wakes up
    }
}

fn accept(listener: &TcpListener, upstream: &Upstream, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let client = client.unwrap();
        let mut state = shared.state.lock().unwrap();
        if state.ended {
            return;
        }
        let number = state.accepted;
        state.accepted += 1;
        state.open.push(client.try_clone().unwrap());
        if !state.silent {
            drop(state);
            // Refused upstream: the client's connection is closed.
            let _ = pass(client, upstream, number, shared);
        }
    }
}

fn pass(client: TcpStream, upstream: &Upstream, number: usize, shared: &Arc<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    match upstream {
        Upstream::Tcp(address) => {
            let server = TcpStream::connect(address)?;
            server.set_nodelay(true)?;
            let other = server.try_clone()?;
            both_ways(
                client,
                server,
                other,
                |s| s.shutdown(Shutdown::Both),
                number,
                shared,
            )
        }
        Upstream::Unix(path) => {
            let server = UnixStream::connect(path)?;
            let other = server.try_clone()?;
            both_ways(
                client,
                server,
                other,
                |s| s.shutdown(Shutdown::Both),
                number,
                shared,
            )
        }
    }
}

fn both_ways<S: Read + Write + Send + 'static>(
    client: TcpStream,
    server: S,
    other: S,
    end: fn(&S) -> io::Result<()>,
    number: usize,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let (mut up, mut up_to) = (client.try_clone()?, server);
    let (mut down, mut down_to) = (other, client);
    let (one, two) = (Arc::clone(shared), Arc::clone(shared));
    thread::spawn(move || {
        copy(&mut up, &mut up_to, number, &one);
        let _ = end(&up_to);
    });
    thread::spawn(move || {
        copy(&mut down, &mut down_to, number, &two);
        let _ = down_to.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Until either side closes; while the connection is frozen nothing is forwarded, not even its end.
fn copy(from: &mut impl Read, to: &mut impl Write, number: usize, shared: &Shared) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let state = shared.state.lock().unwrap();
        let frozen = |state: &mut State| !state.ended && number < state.frozen_below;
        drop(shared.changed.wait_while(state, frozen).unwrap());
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}
