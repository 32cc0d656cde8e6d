//! Measures each lookup of a provider.

use std::time::Instant;

use super::{DistanceError, DistanceProvider};
use crate::orders::metrics::METRICS;
use crate::orders::model::Trip;

/// A provider under its configured name.
pub(super) struct Measured<P> {
    pub(super) name: &'static str,
    pub(super) provider: P,
}

#[rocket::async_trait]
impl<P: DistanceProvider> DistanceProvider for Measured<P> {
    async fn distance(&self, trip: &Trip) -> Result<i32, DistanceError> {
        let started = Instant::now();
        let distance = self.provider.distance(trip).await;
        let outcome = match &distance {
            Ok(_) => "found",
            Err(DistanceError::NoRoute) => "no_route",
            Err(DistanceError::Unavailable(_)) => "unavailable",
            Err(DistanceError::CircuitOpen) => "circuit_open",
            Err(DistanceError::Busy) => "busy",
        };
        METRICS
            .distance_lookups
            .with_label_values(&[self.name, outcome])
            .observe(started.elapsed().as_secs_f64());
        distance
    }
}
