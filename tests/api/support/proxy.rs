//! A TCP proxy that misbehaves as networks and dying peers do: what is open freezes, what is new is not answered.
//!
//! It needs the standard library alone, so another test binary may include this file by `#[path]`.

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

/// Ends what goes through it when it is dropped.
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
    /// New connections are accepted, and nothing is ever read from them or written to them.
    silent: bool,
    /// Connections with a smaller number do not move.
    frozen_below: usize,
    /// How many were accepted, the silent ones too.
    accepted: usize,
    /// What keeps the silent ones open, and what ends the others.
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

    /// From now on new connections are accepted and never answered, or passed on again. Those that were never
    /// answered stay so.
    pub fn silence_new(&self, silent: bool) {
        self.shared.state.lock().unwrap().silent = silent;
    }

    /// Nothing moves any more, in either direction, on the connections that are open now; they stay open.
    pub fn freeze_open(&self) {
        let mut state = self.shared.state.lock().unwrap();
        state.frozen_below = state.accepted;
    }

    /// What is frozen moves again, nothing of it lost.
    pub fn thaw(&self) {
        self.shared.state.lock().unwrap().frozen_below = 0;
        self.shared.changed.notify_all();
    }

    /// Ends what is open.
    #[allow(dead_code, reason = "each test binary uses what it needs")]
    pub fn cut_open(&self) {
        for open in self.shared.state.lock().unwrap().open.drain(..) {
            let _ = open.shutdown(Shutdown::Both);
        }
    }

    /// How many connections were accepted since the start.
    pub fn accepted(&self) -> usize {
        self.shared.state.lock().unwrap().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().ended = true;
        self.thaw();
        self.cut_open();
        let _ = TcpStream::connect(self.address); // so that the accepting thread looks
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
            // Refused upstream: the client sees its connection end.
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

/// Until either side ends; while the connection is frozen nothing is passed on, its end neither.
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
