//! A TCP proxy that can be told to fail as networks and peers do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rocket::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use rocket::tokio::net::{TcpListener, TcpStream, UnixStream};
use rocket::tokio::sync::watch;
use rocket::tokio::time::sleep;
use rocket::tokio::{select, spawn};

/// The pause between two bytes of an answer.
const DRIP: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Passes,
    /// New connections are refused, and open ones are reset.
    Refuses,
    /// Open connections are reset. New ones are accepted and never answered, even after the fault.
    Silent,
    /// Open connections are never answered again; new ones work.
    Freezes,
    /// No data passes and no connection breaks; everything resumes after the fault.
    Hangs,
    /// One answer in four is cut off by a reset.
    Resets,
    /// Answers arrive byte by byte.
    Drips,
}

/// Stopped with the test.
pub struct Proxy {
    pub port: u16,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy)]
struct State {
    mode: Mode,
    /// Incremented by each change of the mode.
    number: u64,
}

#[derive(Clone)]
pub enum Upstream {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// How a connection ends.
enum End {
    Closed,
    Reset,
}

impl Proxy {
    pub async fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Mode::Passes;
        let (state, changes) = watch::channel(State { mode, number: 0 });
        spawn(listen(listener, port, changes, upstream));
        Self { port, state }
    }

    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.number += 1;
        });
    }
}

async fn listen(mut listener: TcpListener, port: u16, mut state: watch::Receiver<State>, upstream: Upstream) {
    loop {
        if state.borrow_and_update().mode == Mode::Refuses {
            drop(listener);
            if state.wait_for(|state| state.mode != Mode::Refuses).await.is_err() {
                return;
            }
            listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        }
        let number = state.borrow().number;
        select! {
            changed = state.changed() => if changed.is_err() { return },
            accepted = listener.accept() => {
                let client = accepted.unwrap().0;
                spawn(connect(client, upstream.clone(), state.clone(), number));
            }
        }
    }
}

/// `opened` is the number of the state in which the connection was accepted.
async fn connect(client: TcpStream, upstream: Upstream, state: watch::Receiver<State>, opened: u64) {
    client.set_nodelay(true).unwrap();
    match upstream {
        Upstream::Tcp(address) => match TcpStream::connect(address).await {
            Ok(upstream) => carry(client, upstream, state, opened).await,
            Err(_) => client.set_zero_linger().unwrap(),
        },
        Upstream::Unix(path) => match UnixStream::connect(path).await {
            Ok(upstream) => carry(client, upstream, state, opened).await,
            Err(_) => client.set_zero_linger().unwrap(),
        },
    }
}

async fn carry<U>(mut client: TcpStream, upstream: U, state: watch::Receiver<State>, opened: u64)
where
    U: AsyncRead + AsyncWrite,
{
    let (answers, questions) = split(upstream);
    let (asked, told) = client.split();
    let end = select! {
        end = pump(asked, questions, state.clone(), opened, false) => end,
        end = pump(answers, told, state, opened, true) => end,
    };
    if matches!(end, End::Reset) {
        let _ = client.set_zero_linger();
    }
}

/// One direction of a connection.
async fn pump<R, W>(
    mut from: R,
    mut to: W,
    mut state: watch::Receiver<State>,
    opened: u64,
    answers: bool,
) -> End
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let State { mode, number } = *state.borrow_and_update();
        let is_old = opened < number;
        match mode {
            Mode::Refuses => return End::Reset,
            Mode::Silent if is_old => return End::Reset,
            Mode::Silent => return until_dropped(state).await,
            Mode::Freezes if is_old => return until_dropped(state).await,
            Mode::Hangs => match state.changed().await {
                Ok(()) => continue,
                Err(_) => return End::Closed,
            },
            _ => {}
        }
        let read = select! {
            biased;
            changed = state.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return End::Closed,
            },
            read = from.read(&mut buffer) => read,
        };
        let Ok(length @ 1..) = read else {
            return End::Closed;
        };
        let chunk = &buffer[..length];
        let written = match mode {
            Mode::Resets if answers && fastrand::u8(..4) == 0 => {
                let _ = to.write_all(&chunk[..length / 2]).await;
                return End::Reset;
            }
            Mode::Drips if answers => drip(&mut to, chunk, &state).await,
            _ => to.write_all(chunk).await,
        };
        if written.is_err() {
            return End::Closed;
        }
    }
}

/// A peer that holds the connection without ever sending anything.
async fn until_dropped(mut state: watch::Receiver<State>) -> End {
    while state.changed().await.is_ok() {}
    End::Closed
}

async fn drip<W>(to: &mut W, chunk: &[u8], state: &watch::Receiver<State>) -> std::io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    for (index, byte) in chunk.iter().enumerate() {
        if state.has_changed().unwrap_or(true) {
            return to.write_all(&chunk[index..]).await;
        }
        to.write_all(&[*byte]).await?;
        sleep(DRIP).await;
    }
    Ok(())
}
