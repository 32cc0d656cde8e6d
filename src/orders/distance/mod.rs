//! The road distance of a trip, from the configured provider.

mod google;
mod google_routes;
mod haversine;
mod measured;
mod online;
mod osrm;
#[cfg(test)]
mod tests;

use crate::config;
use crate::orders::model::Trip;
use crate::outbound::Client;

use google::Google;
use google_routes::GoogleRoutes;
use haversine::Haversine;
use measured::Measured;
use online::{Api, Online};
use osrm::Osrm;

/// Finds the distance of a trip by road.
#[rocket::async_trait]
pub trait DistanceProvider: Send + Sync {
    /// Metres, 0 or more.
    ///
    /// # Errors
    /// There is no route, or the provider did not answer.
    async fn distance(&self, trip: &Trip) -> Result<i32, DistanceError>;
}

/// Why there is no distance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DistanceError {
    /// The provider answered that no road connects the two points: the client's mistake.
    #[error("there is no route")]
    NoRoute,
    /// The provider was unreachable, refused, or sent nonsense. The reason is for the log:
    /// one short line, never containing a key.
    #[error("{0}")]
    Unavailable(String),
    /// The provider was not asked: the circuit breaker is open.
    #[error("the provider has failed each of the last times, so it was not asked")]
    CircuitOpen,
    /// The provider was not asked: too many lookups are in flight.
    #[error("too many lookups are under way")]
    Busy,
}

/// The configured provider.
///
/// # Errors
/// The HTTP client cannot be created (no TLS library, for example).
pub fn provider(
    config: &config::Distance,
    limits: &config::Outbound,
) -> Result<Box<dyn DistanceProvider>, reqwest::Error> {
    match config {
        config::Distance::Google { key, url } => online("google", Google::new(key, url), limits),
        config::Distance::GoogleRoutes { key, url } => {
            online("google-routes", GoogleRoutes::new(key, url), limits)
        }
        config::Distance::Osrm { url } => online("osrm", Osrm::new(url), limits),
        config::Distance::Haversine => Ok(measured("haversine", Haversine)),
    }
}

fn online(
    name: &'static str,
    api: impl Api + 'static,
    limits: &config::Outbound,
) -> Result<Box<dyn DistanceProvider>, reqwest::Error> {
    Ok(measured(name, Online::new(api, Client::new(limits)?)))
}

fn measured(name: &'static str, provider: impl DistanceProvider + 'static) -> Box<dyn DistanceProvider> {
    Box::new(Measured { name, provider })
}

#[expect(clippy::cast_possible_truncation, reason = "in range by the line before")]
fn metres(length: f64) -> Result<i32, DistanceError> {
    if (0.0..=f64::from(i32::MAX)).contains(&length) {
        return Ok(length.round() as i32);
    }
    Err(DistanceError::Unavailable(format!(
        "{length} metres is no distance"
    )))
}
