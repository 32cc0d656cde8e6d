//! The metrics of the process itself.

use std::sync::LazyLock;

use rocket_prometheus::prometheus::GaugeVec;

use crate::telemetry::metrics::gauges;

pub(crate) struct Metrics {
    build_info: GaugeVec,
    expected_replicas: GaugeVec,
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    build_info: gauges(
        "order_api_build_info",
        "Always 1; the label is the running version.",
        &["version"],
    ),
    expected_replicas: gauges(
        "order_api_expected_replicas",
        "Expected number of processes (REPLICAS), to compare with count(up == 1); absent unless configured.",
        &[],
    ),
});

impl Metrics {
    /// Sets the metrics that are known from the start.
    pub(super) fn set(&self, replicas: Option<u16>) {
        let version = env!("CARGO_PKG_VERSION");
        self.build_info.with_label_values(&[version]).set(1.0);
        if let Some(replicas) = replicas {
            let expected = self.expected_replicas.with_label_values::<&str>(&[]);
            expected.set(replicas.into());
        }
    }
}
