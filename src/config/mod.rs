//! The only reader of the environment: one file a section, read once and checked whole at start.

mod database;
mod distance;
mod environment;
mod logs;
mod server;

pub use database::Database;
pub use distance::Distance;
pub use environment::{ConfigError, Environment};
pub use logs::Logs;
pub use server::Server;

/// Everything that `order-api serve` can be told; `.env.example` lists each variable.
#[derive(Debug)]
pub struct Config {
    /// Where to listen, and how to stop.
    pub server: Server,
    /// PostgreSQL.
    pub database: Database,
    /// The provider of road distances.
    pub distance: Distance,
    /// What is logged.
    pub logs: Logs,
}

impl Config {
    /// Reads every section.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            server: Server::read(environment)?,
            database: Database::read(environment)?,
            distance: Distance::read(environment)?,
            logs: Logs::read(environment)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Environment};

    const URL: (&str, &str) = ("DATABASE_URL", "postgresql://me:hunter2@localhost/orders");

    fn sentence(variables: &[(&str, &str)]) -> String {
        Config::read(&Environment::of(variables))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn only_the_database_url_is_required() {
        assert!(Config::read(&Environment::of(&[URL])).is_ok());
        assert_eq!(
            sentence(&[]),
            "DATABASE_URL must be a PostgreSQL URL such as \
             postgresql://user:password@host:5432/name, but it is not set"
        );
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let config = Config::read(&Environment::of(&[URL, ("DATABASE_POOL_SIZE", "")]));
        assert_eq!(config.unwrap().database.pool_size.get(), 16);
    }

    #[test]
    fn a_wrong_variable_is_named_with_what_it_should_be_and_what_it_was() {
        assert_eq!(
            sentence(&[URL, ("DATABASE_POOL_SIZE", "many")]),
            "DATABASE_POOL_SIZE must be a whole number from 1 to 1000, but it is \"many\""
        );
        for (name, value) in [
            ("LISTEN", "localhost"),
            ("SHUTDOWN_GRACE_SECONDS", "2"),
            ("DATABASE_STATEMENT_TIMEOUT_MS", "0"),
            ("DISTANCE_PROVIDER", "bing"),
            ("LOG_LEVEL", "loud"),
        ] {
            assert!(sentence(&[URL, (name, value)]).starts_with(&format!("{name} must be ")));
        }
    }

    #[test]
    fn secrets_show_neither_in_debug_nor_in_errors() {
        let config = Config::read(&Environment::of(&[URL, ("GMAP_TOKEN", "hunter2")])).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(
            sentence(&[("DATABASE_URL", "hunter2")]),
            "DATABASE_URL must be a PostgreSQL URL such as \
             postgresql://user:password@host:5432/name, but it is something else of 7 characters"
        );
    }
}
