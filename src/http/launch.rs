//! Serves until told to stop, and stops as soon as the last connection is closed.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::tokio::signal::unix::{SignalKind, signal};
use rocket::tokio::sync::mpsc;
use rocket::tokio::time::timeout;
use rocket::{Build, Rocket, tokio};

/// Dropped with the Rocket, and so with the last connection, since each of them holds it. Any other work to be done
/// before the process exits holds a clone of it.
#[derive(Clone)]
pub struct Alive(#[expect(dead_code, reason = "it is there to be dropped")] mpsc::Sender<Infallible>);

/// Serves until SIGTERM or SIGINT. From then on new connections are refused, so that a proxy uses another
/// instance. For `drain`, open connections are served, but each answer closes its connection, so that a proxy
/// keeps none that could close while in use. Then idle ones are closed, requests in flight are answered, and
/// whatever is left after `grace` is cut off.
///
/// Rocket alone would close all at once, and wait for the whole grace period if any connection were open then.
///
/// # Errors
/// The address cannot be bound, or a feature cannot start.
pub async fn until_stopped(
    rocket: Rocket<Build>,
    drain: Duration,
    grace: Duration,
) -> Result<(), rocket::Error> {
    let (alive, mut last_connection) = mpsc::channel(1);
    let leaving = Arc::new(AtomicBool::new(false));
    let rocket = rocket.manage(Alive(alive)).attach(farewell(Arc::clone(&leaving)));
    let rocket = rocket.ignite().await?;
    let shutdown = rocket.shutdown();
    tokio::select! {
        told = a_signal() => if let Err(error) = told {
            tracing::error!(%error, "no signal can be waited for");
        },
        served = rocket.launch() => return served.map(drop),
    }
    // This drops the launch, and the listener with it; connections are separate tasks.
    tracing::info!("told to stop: new connections are refused");
    leaving.store(true, Ordering::Relaxed);
    let _ = timeout(drain, last_connection.recv()).await; // either way the next step is the same
    shutdown.notify();
    if timeout(grace, last_connection.recv()).await.is_err() {
        tracing::warn!("some requests took longer than the grace time and were cut off");
    }
    Ok(())
}

/// Closes each connection after its next answer, once the service is stopping.
fn farewell(leaving: Arc<AtomicBool>) -> AdHoc {
    AdHoc::on_response("Farewell", move |_, response| {
        let last = leaving.load(Ordering::Relaxed);
        Box::pin(async move {
            if last {
                response.set_raw_header("Connection", "close");
            }
        })
    })
}

async fn a_signal() -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
