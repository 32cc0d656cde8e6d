//! The one connection that all requests share: made, watched, and replaced when it is lost or useless.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep};

use super::connect::connect;
use super::health::Trouble;
use crate::config::RedisAddress;

/// The pause between two attempts to connect: from the first to the last, doubled each time.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// A connection, for as long as it is useful.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) connection: MultiplexedConnection,
    /// Notified when a command found this connection useless: the next one may work.
    pub(super) broken: Arc<Notify>,
}

/// Keeps one connection open, and publishes it, or the reason why there is none.
pub(super) async fn stay_connected(
    address: RedisAddress,
    current: watch::Sender<Result<Connected, Trouble>>,
) {
    let (shortest, longest) = BACKOFF;
    let mut pause = shortest;
    loop {
        let began = Instant::now();
        let (pushes, mut pushed) = mpsc::unbounded_channel();
        match connect(&address, pushes).await {
            Ok(connection) => {
                let broken = Arc::new(Notify::new());
                let connected = Connected {
                    connection,
                    broken: Arc::clone(&broken),
                };
                let _ = current.send_replace(Ok(connected));
                wait_for_the_end(&mut pushed, &broken).await;
                let _ = current.send_replace(Err(Trouble::Down));
                tracing::warn!("the connection to Redis is lost, or of no use");
            }
            Err(error) => {
                let _ = current.send_replace(Err(error.trouble()));
                tracing::error!(%error, "no connection to Redis");
            }
        }
        // One that lasted for a while was healthy: the next attempt is at once again.
        pause = if began.elapsed() > longest {
            shortest
        } else {
            (pause * 2).min(longest)
        };
        sleep(pause).await;
    }
}

async fn wait_for_the_end(pushed: &mut mpsc::UnboundedReceiver<PushInfo>, broken: &Notify) {
    let disconnected = async {
        while let Some(push) = pushed.recv().await {
            if push.kind == PushKind::Disconnection {
                return;
            }
        }
    };
    tokio::select! {
        () = disconnected => {}
        () = broken.notified() => {}
    }
}
