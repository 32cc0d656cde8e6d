//! What is looked up when Prometheus asks, since it is only true at that moment.

use rocket::tokio::time::Instant;

/// Gauges of a feature or room.
#[rocket::async_trait]
pub trait AtScrape: Send + Sync {
    /// Sets them anew; what is not known by then is not a number.
    async fn renew(&self, by: Instant);
}

/// All that is renewed at a scrape.
pub type Scrapes = Vec<Box<dyn AtScrape>>;
