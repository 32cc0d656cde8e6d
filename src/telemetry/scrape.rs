//! Gauges that are read when Prometheus scrapes, since they are only true at that moment.

use rocket::tokio::time::Instant;

/// The gauges of a feature or room.
#[rocket::async_trait]
pub trait AtScrape: Send + Sync {
    /// Updates them; a value that is unknown by then becomes NaN.
    async fn renew(&self, by: Instant);
}

/// All gauges that are updated at a scrape.
pub type Scrapes = Vec<Box<dyn AtScrape>>;
