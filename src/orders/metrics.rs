//! The metrics of the orders.

use std::sync::LazyLock;

use rocket_prometheus::prometheus::{HistogramVec, IntCounter, IntCounterVec};

use crate::telemetry::metrics::{SECONDS, counter, counters, histograms};

pub(crate) struct Metrics {
    pub(super) placed: IntCounter,
    pub(super) takes: IntCounterVec,
    pub(super) distance_lookups: HistogramVec,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    placed: counter(
        "order_api_orders_placed_total",
        "Orders placed: the pulse of the business.",
    ),
    takes: counters(
        "order_api_order_takes_total",
        "Attempts to take an order, by outcome: won, already_taken, locked or not_found. Lost attempts per won one \
         show how hard couriers race.",
        &["outcome"],
    ),
    distance_lookups: histograms(
        "order_api_distance_lookup_duration_seconds",
        "Duration of a lookup of a road distance, including its retry, by outcome: found, no_route, unavailable, \
         circuit_open or busy. With the last two the provider was neither asked nor paid.",
        &SECONDS,
        &["provider", "outcome"],
    ),
});
