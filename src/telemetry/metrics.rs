//! Every metric, declared once, with its unit; docs/METRICS.md says what each is good for.

use std::sync::LazyLock;
use std::time::Duration;

use rocket_prometheus::prometheus::core::Collector;
use rocket_prometheus::prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    Result,
};

/// Upper bounds in seconds: 1 ms to 5 s.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// For what takes microseconds when all is well.
const SHORT_SECONDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0,
];
/// Requests in a batch.
const BATCH: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The metrics of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "names and labels are constants, and tests declare them all"
    )]
    Metrics::declare().expect("every metric is declared once and well")
});

/// What is counted and measured.
pub struct Metrics {
    /// Where all of them are registered.
    pub registry: Registry,
    /// Seconds by endpoint (route template), method and status.
    pub http_requests: HistogramVec,
    /// Orders.
    pub orders_placed: IntCounter,
    /// Tries to take an order, by outcome.
    pub order_takes: IntCounterVec,
    /// Seconds by provider and outcome.
    pub distance_lookups: HistogramVec,
    /// Messages.
    pub queue_pushes: IntCounter,
    /// Pops by outcome: message or empty.
    pub queue_pops: IntCounterVec,
    /// Messages that wait in the plain queue.
    pub queue_depth: Gauge,
    /// Reliable queues.
    pub reliable_queues: Gauge,
    /// Messages of all reliable queues by state: ready, delayed, in flight or dead.
    pub reliable_queue_messages: GaugeVec,
    /// Seconds since the push of the oldest message that is ready, of all reliable queues.
    pub reliable_queue_oldest_age: Gauge,
    /// Seconds for which a receiver of any reliable queue has had its message.
    pub reliable_queue_longest_in_flight: Gauge,
    /// Dead letters that were dropped since there were too many.
    pub reliable_queue_dead_dropped: Gauge,
    /// Connections to PostgreSQL by state: busy, idle, abandoned or connecting.
    pub database_connections: GaugeVec,
    /// Seconds that a request waited for a connection to PostgreSQL.
    pub database_connection_wait: Histogram,
    /// Items of a batch, by lane.
    pub lane_batch: HistogramVec,
    /// Seconds that the first item of a batch waited, by lane.
    pub lane_wait: HistogramVec,
    /// Seconds that a batch took, by lane.
    pub lane_run: HistogramVec,
    /// Items that were refused, by lane and reason: full or late.
    pub lane_refusals: IntCounterVec,
    /// Processes that are meant to run; absent unless configured.
    pub expected_replicas: GaugeVec,
    /// Seconds by command.
    pub redis_commands: HistogramVec,
    /// Commands that failed, and those that found no connection, by command.
    pub redis_errors: IntCounterVec,
}

impl Metrics {
    fn declare() -> Result<Self> {
        let to = Registry::new();
        let build = gauges(
            &to,
            "order_api_build_info",
            "Always 1; its label tells the version that runs.",
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        Ok(Self {
            // The name that rocket_prometheus gives its own, whose buckets begin at 5 ms.
            http_requests: histograms(
                &to,
                "rocket_http_requests_duration_seconds",
                "Seconds from a request's head to its answer's.",
                &SECONDS,
                &["endpoint", "method", "status"],
            )?,
            orders_placed: counter(&to, "order_api_orders_placed_total", "Orders placed.")?,
            order_takes: counters(
                &to,
                "order_api_order_takes_total",
                "Tries to take an order.",
                &["outcome"],
            )?,
            distance_lookups: histograms(
                &to,
                "order_api_distance_lookup_duration_seconds",
                "Seconds that the distance provider took, retry included.",
                &SECONDS,
                &["provider", "outcome"],
            )?,
            queue_pushes: counter(
                &to,
                "order_api_queue_pushes_total",
                "Messages pushed to the plain queue.",
            )?,
            queue_pops: counters(
                &to,
                "order_api_queue_pops_total",
                "Pops from the plain queue.",
                &["outcome"],
            )?,
            queue_depth: gauge(
                &to,
                "order_api_queue_depth_messages",
                "Messages that wait in the plain queue.",
            )?,
            reliable_queues: gauge(&to, "order_api_reliable_queues", "Reliable queues.")?,
            reliable_queue_messages: gauges(
                &to,
                "order_api_reliable_queue_messages",
                "Messages of all reliable queues.",
                &["state"],
            )?,
            reliable_queue_oldest_age: gauge(
                &to,
                "order_api_reliable_queue_oldest_age_seconds",
                "Seconds since the push of the oldest message that is ready, of all reliable queues.",
            )?,
            reliable_queue_longest_in_flight: gauge(
                &to,
                "order_api_reliable_queue_longest_in_flight_seconds",
                "Seconds for which a receiver of any reliable queue has had its message.",
            )?,
            reliable_queue_dead_dropped: gauge(
                &to,
                "order_api_reliable_queue_dead_dropped_messages",
                "Dead letters that the reliable queues have dropped since there were too many.",
            )?,
            database_connections: gauges(
                &to,
                "order_api_database_connections",
                "Connections to PostgreSQL.",
                &["state"],
            )?,
            database_connection_wait: registered(
                &to,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "order_api_database_connection_wait_seconds",
                        "Seconds that a request waited for a pooled connection.",
                    )
                    .buckets(SHORT_SECONDS.into()),
                )?,
            )?,
            lane_batch: histograms(
                &to,
                "order_api_lane_batch_items",
                "Requests that one statement served.",
                &BATCH,
                &["lane"],
            )?,
            lane_wait: histograms(
                &to,
                "order_api_lane_wait_seconds",
                "Seconds that the first request of a batch waited for it.",
                &SHORT_SECONDS,
                &["lane"],
            )?,
            lane_run: histograms(
                &to,
                "order_api_lane_run_seconds",
                "Seconds that a batch took, the wait for a connection included.",
                &SHORT_SECONDS,
                &["lane"],
            )?,
            lane_refusals: counters(
                &to,
                "order_api_lane_refusals_total",
                "Requests that no batch was run for.",
                &["lane", "reason"],
            )?,
            expected_replicas: gauges(
                &to,
                "order_api_expected_replicas",
                "Processes that are meant to run (REPLICAS); absent unless configured.",
                &[],
            )?,
            redis_commands: histograms(
                &to,
                "order_api_redis_command_duration_seconds",
                "Seconds that a Redis command took, the wait for a connection left out.",
                &SHORT_SECONDS,
                &["command"],
            )?,
            redis_errors: counters(
                &to,
                "order_api_redis_errors_total",
                "Redis commands that failed or found no connection.",
                &["command"],
            )?,
            registry: to,
        })
    }
}

/// Those of one lane.
#[derive(Clone)]
pub struct LaneMetrics {
    batch: Histogram,
    wait: Histogram,
    /// Seconds that a batch took.
    pub run: Histogram,
    /// Items for which there was no room.
    pub full: IntCounter,
    /// Items that waited too long.
    pub late: IntCounter,
}

impl LaneMetrics {
    /// Those of the lane with this name.
    #[must_use]
    pub fn of(lane: &str) -> Self {
        Self {
            batch: METRICS.lane_batch.with_label_values(&[lane]),
            wait: METRICS.lane_wait.with_label_values(&[lane]),
            run: METRICS.lane_run.with_label_values(&[lane]),
            full: METRICS.lane_refusals.with_label_values(&[lane, "full"]),
            late: METRICS.lane_refusals.with_label_values(&[lane, "late"]),
        }
    }

    /// A batch begins, whose first item has waited so long.
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    pub fn begun(&self, items: usize, waited: Duration) {
        self.batch.observe(items as f64);
        self.wait.observe(waited.as_secs_f64());
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter> {
    registered(registry, IntCounter::new(name, help)?)
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<Gauge> {
    registered(registry, Gauge::new(name, help)?)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec> {
    registered(registry, GaugeVec::new(Opts::new(name, help), labels)?)
}

fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> Result<HistogramVec> {
    let options = HistogramOpts::new(name, help).buckets(buckets.into());
    registered(registry, HistogramVec::new(options, labels)?)
}
