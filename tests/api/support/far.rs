//! A distant database: a proxy that delays each direction and counts statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Url;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use rocket::tokio::net::{UnixListener, UnixStream};
use rocket::tokio::spawn;
use rocket::tokio::time::sleep;
use tempfile::tempdir;

use super::Database;

/// Lives as long as the test.
pub struct Far {
    /// The database's URL through it.
    pub url: String,
    statements: Arc<AtomicUsize>,
}

impl Far {
    /// Each direction takes `delay`.
    pub async fn from(database: &Database, delay: Duration) -> Self {
        let url = Url::parse(&database.url).unwrap();
        let value = |name| {
            let mut pairs = url.query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let near = value("host").expect("no Unix socket in DATABASE_URL: run `make test`");
        let name = format!(".s.PGSQL.{}", value("port").as_deref().unwrap_or("5432"));
        let socket = format!("{near}/{name}");
        let directory = tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(name)).unwrap();
        let far = Self {
            url: format!("{url}&host={}", directory.path().display()),
            statements: Arc::default(),
        };
        let statements = Arc::clone(&far.statements);
        spawn(async move {
            let _directory = directory; // removed with the task
            while let Ok((service, _)) = listener.accept().await {
                let (questions, told) = service.into_split();
                let (answers, asked) = UnixStream::connect(&socket).await.unwrap().into_split();
                let counter = Counter {
                    statements: Arc::clone(&statements),
                    ..Counter::default()
                };
                spawn(carry(questions, asked, delay, Some(counter)));
                spawn(carry(answers, told, delay, None));
            }
        });
        far
    }

    /// The number of executed prepared statements.
    pub fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    mut counter: Option<Counter>,
) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if let Some(counter) = &mut counter {
            counter.see(&bytes[..length]);
        }
        sleep(delay).await;
        if to.write_all(&bytes[..length]).await.is_err() {
            break;
        }
    }
}

/// Counts the Bind messages of one connection that name one of our statements (PostgreSQL manual, 55.7): those of a
/// connection's start have no name.
#[derive(Default)]
struct Counter {
    statements: Arc<AtomicUsize>,
    /// The bytes of an incomplete message.
    begun: Vec<u8>,
    /// The first message has no letter for its type.
    started: bool,
}

impl Counter {
    fn see(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        while let Some(length) = self.whole() {
            let message = &self.begun[..length];
            if self.started && message[0] == b'B' && message[6..].starts_with(b"__diesel_stmt_") {
                self.statements.fetch_add(1, Ordering::SeqCst);
            }
            self.started = true;
            self.begun.drain(..length);
        }
    }

    /// The bytes of the first message, if it is complete.
    fn whole(&self) -> Option<usize> {
        let letter = usize::from(self.started);
        let length = self.begun.get(letter..letter + 4)?;
        let length = letter + u32::from_be_bytes(length.try_into().unwrap()) as usize;
        (length <= self.begun.len()).then_some(length)
    }
}
