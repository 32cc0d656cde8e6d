//! The only reader of the environment: one file per section, read once and checked completely at the start.

mod access;
mod conninfo;
mod database;
mod distance;
mod environment;
mod logs;
mod outbound;
pub mod page;
mod redis;
mod server;
mod setting;
mod settings;

pub use access::Access;
pub use database::Database;
pub use distance::Distance;
pub use environment::{ConfigError, Environment};
pub use logs::Logs;
pub use outbound::Outbound;
pub use redis::{Redis, RedisAddress, Sentinels};
pub use server::{Purpose, Server};

/// All settings of `order-api serve`.
#[derive(Debug)]
pub struct Config {
    /// Address, threads and shutdown.
    pub server: Server,
    /// PostgreSQL.
    pub database: Database,
    /// Redis.
    pub redis: Redis,
    /// The tokens for protected routes.
    pub access: Access,
    /// The provider of road distances.
    pub distance: Distance,
    /// Its limits.
    pub outbound: Outbound,
    /// The log.
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
            redis: Redis::read(environment)?,
            access: Access::read(environment)?,
            distance: Distance::read(environment)?,
            outbound: Outbound::read(environment)?,
            logs: Logs::read(environment)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::setting::{Kind, Reader};
    use super::settings::ALL;
    use super::{Config, Environment};

    const REQUIRED: [(&str, &str); 3] = [
        ("DATABASE_URL", "postgresql://me:hunter2@localhost/orders"),
        ("REDIS_URL", "redis://me:hunter2@localhost"),
        ("API_TOKEN", "hunter2hunter2hunter2hunter2hunter2"),
    ];

    /// The required variables, and these in addition or instead.
    fn with(variables: &[(&str, &str)]) -> Result<Config, super::ConfigError> {
        Config::read(&Environment::of(&[variables, &REQUIRED].concat()))
    }

    fn sentence(variables: &[(&str, &str)]) -> String {
        with(variables).unwrap_err().to_string()
    }

    #[test]
    fn three_variables_are_required_and_no_others() {
        assert!(with(&[]).is_ok());
        for (name, _) in REQUIRED {
            let missing = sentence(&[(name, "")]);
            assert!(missing.starts_with(&format!("{name} must be ")), "{missing}");
            assert!(missing.ends_with(", but it is not set"), "{missing}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let config = with(&[("DATABASE_POOL_SIZE", "")]).unwrap();
        assert_eq!(config.database.pool_size.get(), 16);
    }

    #[test]
    fn at_least_one_thread_serves() {
        let threads = |value| with(&[("WORKER_THREADS", value)]).unwrap().server.worker_threads;
        assert_eq!(threads("3").get(), 3);
        let processors = std::thread::available_parallelism().unwrap().get();
        assert_eq!(threads("").get(), (processors / 2).max(1));
    }

    #[test]
    fn log_files_are_in_logs_by_default_and_disabled_by_a_hyphen() {
        let directory = |value| with(&[("LOG_DIR", value)]).unwrap().logs.directory;
        assert_eq!(directory(""), Some("logs".into()));
        assert_eq!(directory("/var/log/orders"), Some("/var/log/orders".into()));
        assert_eq!(directory("-"), None);
    }

    #[test]
    fn a_wrong_variable_is_named_with_its_expected_and_actual_value() {
        assert_eq!(
            sentence(&[("DATABASE_POOL_SIZE", "many")]),
            "DATABASE_POOL_SIZE must be a whole number from 1 to 1000, but it is \"many\""
        );
        for (name, value) in [
            ("LISTEN", "localhost"),
            ("WORKER_THREADS", "0"),
            ("SHUTDOWN_GRACE_SECONDS", "2"),
            ("SHUTDOWN_DRAIN_SECONDS", "61"),
            ("ENVIRONMENT", "prod"),
            ("DATABASE_STATEMENT_TIMEOUT_MS", "0"),
            ("REDIS_URL", "http://localhost"),
            ("DISTANCE_PROVIDER", "bing"),
            ("DISTANCE_CONCURRENCY", "0"),
            ("DISTANCE_TIMEOUT_MS", "60001"),
            ("LOG_LEVEL", "loud"),
        ] {
            let sentence = sentence(&[(name, value)]);
            assert!(sentence.starts_with(&format!("{name} must be ")), "{sentence}");
        }
    }

    #[test]
    fn every_word_and_every_end_of_a_range_is_accepted() {
        let needed = [("GMAP_TOKEN", "k"), ("OSRM_URL", "http://osrm")];
        for setting in ALL.iter().filter(|setting| setting.reader == Reader::Service) {
            let values = match setting.kind {
                Kind::OneOf(words) => words.iter().copied().map(str::to_owned).collect(),
                Kind::Whole(_, from, to) => vec![from.to_string(), to.to_string()],
                Kind::Text(_) | Kind::Secret(_) => Vec::new(),
            };
            for value in values {
                let taken = with(&[&[(setting.name, value.as_str())], &needed[..]].concat());
                assert!(taken.is_ok(), "{taken:?}");
            }
        }
    }

    #[test]
    fn every_token_of_a_list_must_be_long_enough() {
        let (long, short) = ("x".repeat(32), "x".repeat(31));
        let access = |tokens: &str| with(&[("API_TOKEN", tokens)]).map(|config| config.access);
        assert_eq!(access(&format!("{long}, {long}")).unwrap().tokens.len(), 2);
        for wrong in [
            short.clone(),
            format!("{long},{short}"),
            format!("{long},"),
            "é".repeat(32),
        ] {
            assert!(access(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_show_neither_in_debug_nor_in_errors() {
        let config = with(&[("GMAP_TOKEN", "hunter2")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(
            sentence(&[("DATABASE_URL", "hunter2")]),
            "DATABASE_URL must be a PostgreSQL URL such as \
             postgresql://user:password@host:5432/name, but it is something else of 7 characters"
        );
    }
}
