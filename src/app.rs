//! Builds the Rocket from the configuration: the only file that names every feature.

use rocket::config::{Ident, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::shield::Shield;
use rocket::{Build, Rocket};
use rocket_prometheus::PrometheusMetrics;

use crate::broker::{Broker, NotAnAddress};
use crate::config::Config;
use crate::db::{Database, Profile};
use crate::http::token::Tokens;
use crate::telemetry::metrics::METRICS;
use crate::{http, keyvalue, ops, orders, queue};

/// Rocket's last second, in which it closes what the grace time has left open.
const MERCY_SECONDS: u32 = 1;

/// What the service is made of could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The client that asks for road distances.
    #[error("cannot make the HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The client of Redis.
    #[error("cannot make the Redis client: {0}")]
    RedisClient(#[from] NotAnAddress),
}

/// The service, ready to be launched.
///
/// To be called inside the async runtime, where the connection to Redis lives.
///
/// # Errors
/// The HTTP client of the distance provider, or that of Redis, cannot be made.
pub fn build(config: &Config) -> Result<Rocket<Build>, BuildError> {
    if let Some(replicas) = config.server.replicas {
        METRICS
            .expected_replicas
            .with_label_values::<&str>(&[])
            .set(replicas.into());
    }
    let provider = orders::distance::provider(&config.distance, &config.outbound)?;
    let prometheus = PrometheusMetrics::with_registry(METRICS.registry.clone());
    Ok(rocket::custom(rocket_config(config))
        .manage(Database::new(&config.database, Profile::by_key(&config.database)))
        .manage(Broker::new(&config.redis)?)
        .manage(Tokens::new(&config.access))
        // Rocket's own headers are for pages, and cost each answer some time; Nginx adds the one that matters here.
        .attach(Shield::new())
        .attach(http::stage(prometheus.clone()))
        .attach(orders::stage(provider))
        .attach(queue::stage())
        .attach(keyvalue::stage())
        .attach(ops::stage(prometheus, config.server.purpose))
        .attach(ops::logs::stage(&config.logs))
        .attach(AdHoc::on_liftoff("Listening", |rocket| {
            Box::pin(async move {
                let rocket::Config { address, port, .. } = rocket.config();
                tracing::info!(
                    "listening on http://{}",
                    std::net::SocketAddr::new(*address, *port)
                );
            })
        })))
}

fn rocket_config(config: &Config) -> rocket::Config {
    let grace = config.server.shutdown_grace.as_secs();
    rocket::Config {
        address: config.server.listen.ip(),
        port: config.server.listen.port(),
        ident: Ident::none(),
        log_level: LogLevel::Off,
        cli_colors: false,
        shutdown: Shutdown {
            // `http::launch` waits for the signals.
            ctrlc: false,
            signals: [].into(),
            // Rocket adds the mercy and one second more before it gives up.
            grace: u32::try_from(grace)
                .unwrap_or(u32::MAX)
                .saturating_sub(MERCY_SECONDS + 1),
            mercy: MERCY_SECONDS,
            ..Shutdown::default()
        },
        ..rocket::Config::release_default()
    }
}
