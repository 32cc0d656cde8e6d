//! Serves until told to stop, and stops as soon as the last connection is done.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::tokio::signal::unix::{SignalKind, signal};
use rocket::tokio::sync::mpsc;
use rocket::tokio::time::{sleep, timeout};
use rocket::{Build, Rocket, Shutdown, tokio};

/// Dropped with the Rocket, and so with the last connection, since each of them holds it.
struct Alive(#[expect(dead_code, reason = "it is there to be dropped")] mpsc::Sender<Infallible>);

/// Serves until SIGTERM or SIGINT. For `drain` all goes on, but each answer ends its connection, so that a
/// proxy keeps none that it could use at the moment it is closed. Then new connections are refused, requests
/// under way are answered, and what is not done after `grace` is cut off.
///
/// Rocket by itself waits out the whole grace time if any connection is open when it ends.
///
/// # Errors
/// The address cannot be listened on, or a feature cannot start.
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
        biased;
        () = told_to_stop(shutdown, drain, leaving) => {}
        served = rocket.launch() => return served.map(drop),
    }
    // The launch is dropped here, and the listener with it; connections are tasks of their own.
    if timeout(grace, last_connection.recv()).await.is_err() {
        tracing::warn!("some requests took longer than the grace time and were cut off");
    }
    Ok(())
}

/// Ends each connection with its next answer, once the service is leaving.
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

async fn told_to_stop(mut shutdown: Shutdown, drain: Duration, leaving: Arc<AtomicBool>) {
    tokio::select! {
        heard = a_signal() => if let Err(error) = heard {
            tracing::error!(%error, "no signal can be waited for");
            return (&mut shutdown).await;
        },
        () = &mut shutdown => return,
    }
    tracing::info!("told to stop: connections end with their next answer");
    leaving.store(true, Ordering::Relaxed);
    sleep(drain).await;
    shutdown.notify();
}

async fn a_signal() -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
