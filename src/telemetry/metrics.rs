//! The registry of metrics, and how one is declared. Each feature and room declares its own, in its `metrics.rs`.
//!
//! Units are seconds, or what the name says. docs/METRICS.md is written from the names, labels and help texts.

use std::sync::LazyLock;

use rocket_prometheus::prometheus::core::Collector;
use rocket_prometheus::prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    Result,
};

/// Upper bounds in seconds: 1 ms to 5 s.
pub const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// Upper bounds in seconds, for durations of microseconds in the best case: 0.1 ms to 1 s.
pub const SHORT_SECONDS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0,
];

/// All metrics of this process.
pub static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Adds a metric to the registry.
pub fn register<C: Collector + Clone + 'static>(metric: C) -> C {
    declare(Ok(metric))
}

/// Declares a counter.
pub fn counter(name: &str, help: &str) -> IntCounter {
    declare(IntCounter::new(name, help))
}

/// Declares counters with labels.
pub fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    declare(IntCounterVec::new(Opts::new(name, help), labels))
}

/// Declares a gauge.
pub fn gauge(name: &str, help: &str) -> Gauge {
    declare(Gauge::new(name, help))
}

/// Declares gauges with labels.
pub fn gauges(name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    declare(GaugeVec::new(Opts::new(name, help), labels))
}

/// Declares a histogram.
pub fn histogram(name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let options = HistogramOpts::new(name, help).buckets(buckets.into());
    declare(Histogram::with_opts(options))
}

/// Declares histograms with labels.
pub fn histograms(name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> HistogramVec {
    let options = HistogramOpts::new(name, help).buckets(buckets.into());
    declare(HistogramVec::new(options, labels))
}

#[expect(
    clippy::expect_used,
    reason = "names and labels are constants, and a test declares them all"
)]
fn declare<C: Collector + Clone + 'static>(metric: Result<C>) -> C {
    let registered = metric.and_then(|metric| {
        REGISTRY.register(Box::new(metric.clone()))?;
        Ok(metric)
    });
    let metric = registered.expect("every metric is declared once and well");
    #[cfg(test)]
    tests::note(&metric);
    metric
}

#[cfg(test)]
pub(crate) mod tests {
    //! The declared metrics, for tests: the registry does not list metrics without a value yet.

    use std::sync::{Mutex, PoisonError};

    use rocket_prometheus::prometheus::core::Collector;
    use rocket_prometheus::prometheus::proto::MetricType;

    /// A metric as declared.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Declared {
        pub(crate) name: String,
        pub(crate) kind: &'static str,
        pub(crate) labels: Vec<String>,
        pub(crate) help: String,
    }

    static DECLARED: Mutex<Vec<Declared>> = Mutex::new(Vec::new());

    /// All of them, by name.
    pub(crate) fn declared() -> Vec<Declared> {
        let mut all = DECLARED.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort();
        all
    }

    pub(super) fn note(metric: &impl Collector) {
        let kind = match metric.collect()[0].get_field_type() {
            MetricType::COUNTER => "counter",
            MetricType::GAUGE => "gauge",
            MetricType::HISTOGRAM => "histogram",
            other => panic!("{other:?}"),
        };
        let description = metric.desc()[0];
        DECLARED.lock().unwrap().push(Declared {
            name: description.fq_name.clone(),
            kind,
            labels: description.variable_labels.clone(),
            help: description.help.clone(),
        });
    }
}
