//! Builds the Rocket from the configuration: the only file that names every feature.

#[cfg(test)]
mod documented;

use std::sync::LazyLock;

use rocket::config::{Ident, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::shield::Shield;
use rocket::{Build, Rocket};

use crate::broker::{Broker, NotAnAddress};
use crate::config::Config;
use crate::db::{Database, Profile};
use crate::delivery::Budget;
use crate::http::token::Tokens;
use crate::telemetry::scrape::Scrapes;
use crate::{broker, db, http, keyvalue, lane, ops, orders, queue, queues};

/// Rocket's last second, in which it closes what the grace period has left open.
const MERCY_SECONDS: u32 = 1;

/// A part of the service could not be created.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The client of the distance provider.
    #[error("cannot make the HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The client of Redis.
    #[error("cannot make the Redis client: {0}")]
    RedisClient(#[from] NotAnAddress),
}

/// The service, ready to be launched.
///
/// Must be called inside the async runtime, which owns the connection to Redis.
///
/// # Errors
/// The HTTP client of the distance provider, or that of Redis, cannot be created.
pub fn build(config: &Config) -> Result<Rocket<Build>, BuildError> {
    declare_metrics();
    let provider = orders::distance::provider(&config.distance, &config.outbound)?;
    let database = Database::new(&config.database, Profile::by_key(&config.database));
    let (broker, budget) = (Broker::new(&config.redis)?, Budget::new());
    let mut scrapes: Scrapes = vec![Box::new(database.clone())];
    Ok(rocket::custom(rocket_config(config))
        .manage(database.clone())
        .manage(broker.clone())
        .manage(Tokens::new(&config.access))
        // Rocket's own headers are for pages, and cost each answer some time; Nginx adds the relevant one.
        .attach(Shield::new())
        .attach(http::stage())
        .attach(orders::stage(&database, provider))
        .attach(queue::stage(&broker, &budget, &mut scrapes))
        .attach(queues::stage(&broker, &budget, &mut scrapes))
        .attach(keyvalue::stage())
        .attach(ops::stage(&config.server, scrapes))
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

/// All of them, so that each exists from the start, counters at 0.
fn declare_metrics() {
    LazyLock::force(&broker::metrics::METRICS);
    LazyLock::force(&db::metrics::METRICS);
    LazyLock::force(&http::metrics::METRICS);
    LazyLock::force(&lane::metrics::METRICS);
    LazyLock::force(&ops::metrics::METRICS);
    LazyLock::force(&orders::metrics::METRICS);
    LazyLock::force(&queue::metrics::METRICS);
    LazyLock::force(&queues::metrics::METRICS);
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
            // Rocket adds the mercy period and one more second before it gives up.
            grace: u32::try_from(grace)
                .unwrap_or(u32::MAX)
                .saturating_sub(MERCY_SECONDS + 1),
            mercy: MERCY_SECONDS,
            ..Shutdown::default()
        },
        ..rocket::Config::release_default()
    }
}
