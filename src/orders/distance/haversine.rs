//! Great-circle metres on the mean Earth sphere: no network, no roads.

use geo::{Distance, Haversine as Sphere, Point};

use super::{DistanceError, DistanceProvider};
use crate::orders::model::{Coordinates, Trip};

/// The provider for machines that have no key to another.
pub struct Haversine;

#[rocket::async_trait]
impl DistanceProvider for Haversine {
    async fn distance(&self, trip: &Trip) -> Result<i32, DistanceError> {
        let metres = Sphere.distance(point(&trip.origin), point(&trip.destination));
        #[expect(clippy::cast_possible_truncation, reason = "half the equator is 20,015,115 m")]
        Ok(metres.round() as i32)
    }
}

fn point(coordinates: &Coordinates) -> Point {
    Point::new(coordinates.longitude(), coordinates.latitude())
}
