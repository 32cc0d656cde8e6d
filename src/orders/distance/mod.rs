//! The road distance of a trip, asked of the provider that the configuration chose.

mod haversine;

use crate::config;
use crate::orders::model::Trip;

/// Tells how far a trip is by road.
#[rocket::async_trait]
pub trait DistanceProvider: Send + Sync {
    /// Metres, 0 or more.
    ///
    /// # Errors
    /// There is no route, or the provider could not be asked.
    async fn distance(&self, trip: &Trip) -> Result<i32, DistanceError>;
}

/// Why there is no distance.
#[derive(Debug, thiserror::Error)]
pub enum DistanceError {
    /// The provider answered that no road leads from the one point to the other: the client's mistake.
    #[error("there is no route")]
    NoRoute,
    /// The provider could not be reached, refused, or did not make sense. Never holds a key.
    #[error("{0}")]
    Unavailable(String),
}

/// The provider that the configuration names.
///
/// # Errors
/// The HTTP client could not be made (no TLS library, say).
pub fn provider(config: &config::Distance) -> Result<Box<dyn DistanceProvider>, reqwest::Error> {
    Ok(match config {
        _ => Box::new(haversine::Haversine),
    })
}
