//! The metrics of the connections to PostgreSQL.

use std::sync::LazyLock;

use rocket_prometheus::prometheus::{GaugeVec, Histogram};

use crate::telemetry::metrics::{SHORT_SECONDS, gauges, histogram};

pub(crate) struct Metrics {
    pub(super) connections: GaugeVec,
    pub(super) connection_wait: Histogram,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    connections: gauges(
        "order_api_database_connections",
        "Connections to PostgreSQL, by state: busy, idle, abandoned or connecting. If all are busy for long, \
         the pool is too small or PostgreSQL is slow. The statement of an abandoned one was never answered: a \
         thread keeps it, outside the pool. Connecting counts attempts in flight.",
        &["state"],
    ),
    connection_wait: histogram(
        "order_api_database_connection_wait_seconds",
        "Time that a batch of requests waited for a connection of the pool before anything was sent.",
        &SHORT_SECONDS,
    ),
});
