//! What Prometheus is told of the queue: how many messages wait in it.

use redis::cmd;
use rocket::tokio::time::{Instant, timeout_at};

use super::keys;
use crate::broker::Broker;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::scrape::AtScrape;

/// The gauge of the queue's depth.
pub(super) struct Depth(pub(super) Broker);

#[rocket::async_trait]
impl AtScrape for Depth {
    async fn renew(&self, by: Instant) {
        let count = cmd("LLEN").arg(keys::MESSAGES).to_owned();
        let depth = match timeout_at(by, self.0.read(&count)).await {
            Ok(Ok(messages)) => messages,
            _ => f64::NAN,
        };
        METRICS.queue_depth.set(depth);
    }
}
