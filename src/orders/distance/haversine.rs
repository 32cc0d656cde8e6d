//! Great-circle distance in metres on the mean Earth sphere: no network, no roads.

use super::{DistanceError, DistanceProvider, metres};
use crate::orders::model::{Coordinates, Trip};

/// The mean radius of WGS 84, in metres.
const RADIUS: f64 = 6_371_008.8;

/// The provider for machines without a key for another one.
pub(super) struct Haversine;

#[rocket::async_trait]
impl DistanceProvider for Haversine {
    async fn distance(&self, trip: &Trip) -> Result<i32, DistanceError> {
        metres(great_circle(&trip.origin, &trip.destination))
    }
}

/// By the haversine formula, which is exact enough for places side by side and for antipodes.
fn great_circle(from: &Coordinates, to: &Coordinates) -> f64 {
    let half = |one: f64, other: f64| ((other - one).to_radians() / 2.0).sin().powi(2);
    let (one, other) = (from.latitude().to_radians(), to.latitude().to_radians());
    let haversine = half(from.latitude(), to.latitude())
        + one.cos() * other.cos() * half(from.longitude(), to.longitude());
    2.0 * RADIUS * haversine.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::Haversine;
    use crate::orders::distance::DistanceProvider;
    use crate::orders::model::{Coordinates, Trip};

    async fn metres(origin: (f64, f64), destination: (f64, f64)) -> i32 {
        let place = |(latitude, longitude)| Coordinates::new(latitude, longitude).unwrap();
        let trip = Trip {
            origin: place(origin),
            destination: place(destination),
        };
        Haversine.distance(&trip).await.unwrap()
    }

    #[rocket::async_test]
    async fn known_distances_are_computed() {
        // On a sphere of 6,371,008.8 m, the mean radius of WGS 84: a degree is 111,195 m.
        assert_eq!(metres((0.0, 0.0), (0.0, 1.0)).await, 111_195);
        assert_eq!(metres((0.0, 0.0), (1.0, 0.0)).await, 111_195);
        assert_eq!(metres((60.0, 0.0), (60.0, 1.0)).await, 55_597);
        let (paris, london) = ((48.8566, 2.3522), (51.5074, -0.1278));
        assert_eq!(metres(paris, london).await / 1000, 343);
        assert_eq!(metres(london, paris).await, metres(paris, london).await);
    }

    #[rocket::async_test]
    async fn the_distance_of_a_point_to_itself_is_zero() {
        assert_eq!(metres((22.3193, 114.1694), (22.3193, 114.1694)).await, 0);
        assert_eq!(metres((10.0, 180.0), (10.0, -180.0)).await, 0);
        assert_eq!(metres((90.0, 0.0), (90.0, 77.0)).await, 0);
    }

    #[rocket::async_test]
    async fn antipodes_are_half_a_great_circle_apart() {
        assert_eq!(metres((0.0, 0.0), (0.0, 180.0)).await, 20_015_114);
        assert_eq!(metres((90.0, 0.0), (-90.0, 0.0)).await, 20_015_114);
        let almost = metres((22.3193, 114.1694), (-22.3193, -65.8306)).await;
        assert_eq!(almost, 20_015_114);
    }
}
