//! Counts the requests under way, so that a shutdown ends as soon as the last of them is answered.

use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::tokio::sync::watch;
use rocket::tokio::time::{sleep, timeout};
use rocket::{Data, Orbit, Request, Rocket};

/// How long the last answers may take from here to the socket; Rocket waits for what is slower.
const FLUSH: Duration = Duration::from_millis(20);

struct InFlight(watch::Sender<usize>);

/// Lives as long as its request.
struct Guard(Arc<InFlight>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

struct Counter(Arc<InFlight>);

#[rocket::async_trait]
impl Fairing for Counter {
    fn info(&self) -> Info {
        Info {
            name: "Requests in flight",
            kind: Kind::Request | Kind::Shutdown,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        self.0.0.send_modify(|count| *count = count.saturating_add(1));
        request.local_cache(|| Guard(Arc::clone(&self.0)));
    }

    /// Rocket looks once whether everything is done, right after this, and if not, at the end of the grace time.
    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        let grace = Duration::from_secs(rocket.config().shutdown.grace.into());
        let mut count = self.0.0.subscribe();
        // Either way the shutdown goes on: Rocket closes what is still open after the grace time.
        let _ = timeout(grace, count.wait_for(|count| *count == 0)).await;
        sleep(FLUSH).await;
    }
}

pub(super) fn fairing() -> impl Fairing {
    Counter(Arc::new(InFlight(watch::Sender::new(0))))
}
