//! What is looked up when Prometheus asks, since it is only true at that moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::futures::future::join_all;
use rocket::tokio::time::Instant;

/// Gauges of a feature or room.
#[rocket::async_trait]
pub trait AtScrape: Send + Sync {
    /// Sets them anew; what is not known by then is not a number.
    async fn renew(&self, by: Instant);
}

/// All that is renewed at a scrape, in Rocket's state: each feature adds its own when it starts.
#[derive(Default)]
pub struct Scrapes(Mutex<Vec<Arc<dyn AtScrape>>>);

impl Scrapes {
    /// Renews these too, from now on.
    pub fn add(&self, gauges: impl AtScrape + 'static) {
        self.all().push(Arc::new(gauges));
    }

    /// Renews all of them at the same time.
    pub async fn renew(&self, by: Instant) {
        let all = self.all().clone();
        join_all(all.iter().map(|gauges| gauges.renew(by))).await;
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<dyn AtScrape>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
