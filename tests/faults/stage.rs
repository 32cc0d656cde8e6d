//! One service with its own dependencies behind proxies, and their faults.

use std::sync::Arc;

use rocket::tokio::task::spawn_blocking;
use serde_json::Value;

use crate::clock::Clock;
use crate::operations::STOCK;
use crate::provider;
use crate::proxy::{Mode, Proxy, Upstream};
use crate::server::Server;
use crate::support::{App, TOKEN};
use crate::table::Dependency::{Postgres, Provider, Redis, Service};
use crate::table::{Fault, Row};

const HOUR: i64 = 3600;

pub struct Stage {
    pub app: App,
    row: Row,
    postgres: Arc<Server>,
    redis: Arc<Server>,
    proxies: [Proxy; 3],
    clock: Clock,
}

impl Stage {
    pub async fn set(row: Row) -> Self {
        let postgres = spawn_blocking(move || Server::postgres(STOCK));
        let redis = spawn_blocking(move || Server::redis(flags(row)));
        let (postgres, redis) = (Arc::new(postgres.await.unwrap()), Arc::new(redis.await.unwrap()));
        let proxies = [
            Proxy::start(Upstream::Unix(postgres.socket())).await,
            Proxy::start(Upstream::Unix(redis.socket())).await,
            Proxy::start(Upstream::Tcp(provider::start().await)).await,
        ];
        let clock = Clock::new();
        let [postgres_port, redis_port, provider_port] = proxies.each_ref().map(|proxy| proxy.port);
        let url = format!("postgresql://order_api@127.0.0.1:{postgres_port}/order_api?sslmode=disable");
        let mut app = App::on_url(&url)
            .with("REDIS_URL", &format!("redis://127.0.0.1:{redis_port}"))
            .with("DISTANCE_PROVIDER", "osrm")
            .with("OSRM_URL", &format!("http://127.0.0.1:{provider_port}"))
            .with("API_TOKEN", TOKEN);
        for (name, value) in clock.variables() {
            app = app.with(&name, &value);
        }
        let app = spawn_blocking(move || app.start()).await.unwrap();
        Self {
            app,
            row,
            postgres,
            redis,
            proxies,
            clock,
        }
    }

    /// Returns once the fault is active.
    pub async fn begin(&self) {
        let server = self.server();
        let blocking = |task: fn(&Server)| spawn_blocking(move || task(&server));
        match self.row {
            (Postgres, Fault::ReadOnly) => {
                blocking(|server| {
                    server.sql("ALTER SYSTEM SET default_transaction_read_only = on");
                    server.sql("SELECT pg_reload_conf()");
                })
                .await
            }
            (_, Fault::ReadOnly) => blocking(|server| server.command(&["REPLICAOF", "127.0.0.1", "1"])).await,
            (_, Fault::OutOfMemory) => {
                blocking(|server| server.command(&["CONFIG", "SET", "maxmemory", "1"])).await
            }
            (_, Fault::DiskFull | Fault::DiskFullEverysec) => blocking(Server::fill_disk).await,
            (_, Fault::Killed) => {
                self.proxy().set(Mode::Refuses);
                blocking(Server::kill).await
            }
            (_, Fault::Restarted) => {
                let restarted = blocking(|server| {
                    server.stop();
                    server.start_again();
                });
                restarted.await
            }
            (Service, _) => {
                self.clock.shift(-HOUR);
                Ok(())
            }
            (_, Fault::ClockSetBack) => blocking(|server| server.set_clock_back(HOUR)).await,
            _ => {
                self.proxy().set(mode(self.row.1));
                Ok(())
            }
        }
        .unwrap();
    }

    /// Returns once the dependency has recovered; a clock stays set back.
    pub async fn end(&self) {
        let server = self.server();
        let blocking = |task: fn(&Server)| spawn_blocking(move || task(&server));
        match self.row {
            (Postgres, Fault::ReadOnly) => {
                blocking(|server| {
                    server.sql("ALTER SYSTEM RESET default_transaction_read_only");
                    server.sql("SELECT pg_reload_conf()");
                })
                .await
            }
            (_, Fault::ReadOnly) => blocking(|server| server.command(&["REPLICAOF", "NO", "ONE"])).await,
            (_, Fault::OutOfMemory) => {
                blocking(|server| server.command(&["CONFIG", "SET", "maxmemory", "0"])).await
            }
            // A server that exited is started again, as its supervisor would.
            (_, Fault::DiskFull | Fault::DiskFullEverysec) => {
                blocking(|server| {
                    server.make_room();
                    server.start_again();
                })
                .await
            }
            (_, Fault::Killed) => blocking(Server::start_again).await,
            _ => Ok(()),
        }
        .unwrap();
        self.proxy().set(Mode::Passes);
    }

    /// Stops everything, and returns the service's log.
    pub async fn stop(self) -> Vec<Value> {
        spawn_blocking(move || self.app.stop()).await.unwrap()
    }

    fn server(&self) -> Arc<Server> {
        Arc::clone(if self.row.0 == Postgres {
            &self.postgres
        } else {
            &self.redis
        })
    }

    fn proxy(&self) -> &Proxy {
        let [postgres, redis, provider] = &self.proxies;
        match self.row.0 {
            Postgres => postgres,
            Redis => redis,
            Provider | Service => provider,
        }
    }
}

fn flags(row: Row) -> &'static [&'static str] {
    match row.1 {
        Fault::DiskFullEverysec => &["--appendfsync", "everysec"],
        _ => &["--appendfsync", "always"],
    }
}

fn mode(fault: Fault) -> Mode {
    match fault {
        Fault::Refuses => Mode::Refuses,
        Fault::Silent => Mode::Silent,
        Fault::Freezes => Mode::Freezes,
        Fault::Hangs => Mode::Hangs,
        Fault::Resets => Mode::Resets,
        Fault::Drips => Mode::Drips,
        _ => Mode::Passes,
    }
}
