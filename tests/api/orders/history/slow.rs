//! A slow PostgreSQL: the longer each step takes, the more requests overlap.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use reqwest::Url;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use rocket::tokio::net::{UnixListener, UnixStream};
use rocket::tokio::spawn;
use rocket::tokio::time::sleep;
use tempfile::tempdir;

use crate::support::Database;

/// From now on a change waits for up to a millisecond before its commit.
pub fn change_slowly(database: &Database) {
    let nap = "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
                   'BEGIN PERFORM pg_sleep(random() * 0.001); RETURN NULL; END';
               CREATE TRIGGER nap AFTER INSERT OR UPDATE ON orders EXECUTE FUNCTION nap()";
    database.connect().batch_execute(nap).unwrap();
}

/// Another socket of this database that delays one answer in ten by 8 ms.
pub async fn far(database: &Database) -> PathBuf {
    let url = Url::parse(&database.url).unwrap();
    let value = |name| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let near = value("host").expect("no Unix socket in DATABASE_URL: run `make test`");
    let name = format!(".s.PGSQL.{}", value("port").as_deref().unwrap_or("5432"));
    let socket = format!("{near}/{name}");
    let far = tempdir().unwrap();
    let far_socket = far.path().join(name);
    let listener = UnixListener::bind(&far_socket).unwrap();
    spawn(async move {
        let _far = far; // removed with the task
        while let Ok((service, _)) = listener.accept().await {
            spawn(carry(service, UnixStream::connect(&socket).await.unwrap()));
        }
    });
    far_socket
}

async fn carry(service: UnixStream, database: UnixStream) {
    let (mut questions, mut told) = service.into_split();
    let (mut answers, mut asked) = database.into_split();
    spawn(async move { copy(&mut questions, &mut asked).await });
    let mut answer = [0; 8192];
    while let Ok(length @ 1..) = answers.read(&mut answer).await {
        if fastrand::u8(..10) == 0 {
            sleep(Duration::from_millis(8)).await;
        }
        if told.write_all(&answer[..length]).await.is_err() {
            break;
        }
    }
}
