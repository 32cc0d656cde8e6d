//! The metrics of the plain queue.

use std::sync::LazyLock;

use redis::cmd;
use rocket::tokio::time::{Instant, timeout_at};
use rocket_prometheus::prometheus::{Gauge, IntCounter, IntCounterVec};

use super::keys;
use crate::broker::Broker;
use crate::telemetry::metrics::{counter, counters, gauge};
use crate::telemetry::scrape::AtScrape;

pub(crate) struct Metrics {
    pub(super) pushes: IntCounter,
    pub(super) pops: IntCounterVec,
    depth: Gauge,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    pushes: counter(
        "order_api_queue_pushes_total",
        "Messages pushed to the plain queue.",
    ),
    pops: counters(
        "order_api_queue_pops_total",
        "Pops from the plain queue, by outcome: message, or empty.",
        &["outcome"],
    ),
    depth: gauge(
        "order_api_queue_depth_messages",
        "Messages in the plain queue: it grows while consumers fall behind. The same on every instance; NaN \
         while Redis is down.",
    ),
});

/// Updates the gauge of the queue's depth.
pub(super) struct Depth(pub(super) Broker);

#[rocket::async_trait]
impl AtScrape for Depth {
    async fn renew(&self, by: Instant) {
        let count = cmd("LLEN").arg(keys::MESSAGES).to_owned();
        METRICS
            .depth
            .set(match timeout_at(by, self.0.read(&count)).await {
                Ok(Ok(messages)) => messages,
                _ => f64::NAN,
            });
    }
}
