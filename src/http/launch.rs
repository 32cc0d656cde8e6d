//! Serves until told to stop, and stops as soon as the last connection is done.

use std::convert::Infallible;
use std::time::Duration;

use rocket::tokio::sync::mpsc;
use rocket::tokio::time::timeout;
use rocket::{Build, Rocket, tokio};

/// Dropped with the Rocket, and so with the last connection, since each of them holds it.
struct Alive(#[expect(dead_code, reason = "it is there to be dropped")] mpsc::Sender<Infallible>);

/// Serves until SIGTERM or SIGINT. Then new connections are refused, requests under way are answered, and
/// what is not done after `grace` is cut off.
///
/// Rocket by itself waits out the whole grace time if any connection is open when it ends.
///
/// # Errors
/// The address cannot be listened on, or a feature cannot start.
pub async fn until_stopped(rocket: Rocket<Build>, grace: Duration) -> Result<(), rocket::Error> {
    let (alive, mut last_connection) = mpsc::channel(1);
    let rocket = rocket.manage(Alive(alive)).ignite().await?;
    let shutdown = rocket.shutdown();
    tokio::select! {
        biased;
        () = shutdown => {}
        served = rocket.launch() => return served.map(drop),
    }
    // The launch is dropped here, and the listener with it; connections are tasks of their own.
    if timeout(grace, last_connection.recv()).await.is_err() {
        tracing::warn!("some requests took longer than the grace time and were cut off");
    }
    Ok(())
}
