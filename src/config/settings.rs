//! The table of settings: every variable that the service, Nginx or the containers read.
//!
//! `.env.example` and docs/SETTINGS.md are written from it by `make settings`.

use super::setting::Default::{Is, Required, Unset};
use super::setting::Kind::{OneOf, Secret, Text, Whole};
use super::setting::Reader::{Containers, Nginx, Service};
use super::setting::Setting;

/// One row per setting, each a constant with its name, and [`ALL`] of them.
macro_rules! settings {
    ($($name:ident: $reader:ident, $kind:expr, $default:expr, $meaning:expr;)+) => {
        $(pub(super) const $name: &Setting = &Setting {
            name: stringify!($name),
            reader: $reader,
            kind: $kind,
            default: $default,
            meaning: $meaning,
        };)+

        /// In the order of the docs.
        pub(super) const ALL: &[&Setting] = &[$($name),+];
    };
}

const LETTERS: &str = "letters and digits";
const PEM: &str = "the path of a PEM file, absolute or from the directory of the repository";
const URL: &str = "an http or https URL";

settings! {
    LISTEN: Service, Text("an address and a port such as 127.0.0.1:8000"), Is("127.0.0.1:8000"),
        "The address of `serve`. With port 0 the system chooses one.";
    WORKER_THREADS: Service, Whole("threads", 1, 256), Unset("half of the processors, at least 1"),
        "Threads that read requests and write answers. The other processors are left to \
         Nginx, and to the databases if they run on the same machine.";
    SHUTDOWN_DRAIN_SECONDS: Service, Whole("seconds", 0, 60), Is("0"),
        "How long open connections are served after SIGTERM, each up to its next answer, so that a proxy stops using \
         this instance. New connections are refused at once.";
    SHUTDOWN_GRACE_SECONDS: Service, Whole("seconds", 3, 300), Is("10"),
        "The maximum time from the end of the drain to the exit.";
    ENVIRONMENT: Service, OneOf(&["development", "test", "production"]), Is("development"),
        "The purpose of this service and its data, shown by `GET /livez`. Load tests refuse production, and require \
         --yes-really except in test.";
    REPLICAS: Service, Whole("instances", 1, 1000), Unset("1 in the containers, else not known"),
        "The expected number of instances. The containers start that many; an alert compares it with those that \
         answer.";
    DATABASE_URL: Service, Secret("a PostgreSQL URL such as postgresql://user:password@host:5432/name"), Required,
        "PostgreSQL 15 to 18: a libpq URL or connection string; `sslmode` for TLS. Several hosts are for failover: \
         postgresql://user:password@one:5432,two:5432/name (docs/OPERATIONS.md). Unless it says otherwise: \
         connect_timeout=2, keepalives_idle=5, keepalives_interval=1, keepalives_count=3, tcp_user_timeout=5000, and \
         with several hosts target_session_attrs=read-write.";
    DATABASE_POOL_SIZE: Service, Whole("connections", 1, 1000), Is("16"),
        "Connections of one process to PostgreSQL. Reads use at most three quarters of them. Connections on \
         which PostgreSQL does not answer are replaced: temporarily there may be twice as many and 32 more.";
    DATABASE_STATEMENT_TIMEOUT_MS: Service, Whole("milliseconds", 1, 60_000), Is("1000"),
        "The time limit of a statement. A request may wait twice as long and 0.8 s more.";
    REDIS_URL: Service,
        Secret("a Redis URL such as redis://user:password@host:6379/0 or redis+sentinel://host,host/name/0"), Required,
        "Redis 7 or newer: `redis://`, `rediss://` for TLS, `redis+unix:///path` for a socket. With Sentinel: \
         redis+sentinel://user:password@host:26379,host2:26379/name/db, `rediss+sentinel://` for TLS; user and \
         password are for the primary, the sentinels are queried without.";
    REDIS_WAIT_REPLICAS: Service, Whole("replicas", 0, 10), Is("0"),
        "Replicas of Redis that must confirm a write within 0.5 s before it is answered with success (`WAIT`).";
    API_TOKEN: Service,
        Secret("one or more tokens, comma separated, of 32 or more visible ASCII characters each"), Required,
        "The tokens of clients of the queues, the key-value space and the logs. Several allow rotation. `make run` and \
         `make docker-compose` write a random one into .env.";
    DISTANCE_PROVIDER: Service, OneOf(&["google", "google-routes", "osrm", "haversine"]),
        Unset("google if GMAP_TOKEN is set, else haversine"),
        "The source of road distances: Google's Distance Matrix API, Google's Routes API, an OSRM server, or none \
         (great-circle distance, no network).";
    GMAP_TOKEN: Service, Secret("a Google Maps Platform API key"), Unset("no key"),
        "For google and google-routes, which require it.";
    GMAP_DISTANCE_MATRIX_API: Service, Text(URL), Is("https://maps.googleapis.com/maps/api/distancematrix/json"),
        "The URL of the API for google.";
    GMAP_ROUTES_API: Service, Text(URL), Is("https://routes.googleapis.com/distanceMatrix/v2:computeRouteMatrix"),
        "The URL of the API for google-routes.";
    OSRM_URL: Service, Text(URL), Unset("no server"),
        "The OSRM server, such as http://127.0.0.1:5000. Required for osrm.";
    DISTANCE_CONCURRENCY: Service, Whole("lookups", 1, 10_000), Is("64"),
        "The maximum of lookups of one process in flight. Others wait for a while.";
    DISTANCE_TIMEOUT_MS: Service, Whole("milliseconds", 1, 60_000), Is("1500"),
        "The deadline of a lookup, including the wait for others and a second attempt.";
    LOG_LEVEL: Service, OneOf(&["error", "warn", "info", "debug", "trace"]), Is("info"),
        "The minimum severity of log lines.";
    LOG_DIR: Service, Text("a directory, or - for none"), Is("logs"),
        "The directory of app.log (every line) and error.log (errors), created if \
         necessary. A file is rotated at 5 MiB, and three older ones are kept. With - the log goes only to standard \
         output.";

    PORT: Nginx, Whole("", 1, 65_535), Is("8080"), "The port of Nginx for HTTP.";
    TLS_CERTIFICATE: Nginx, Text(PEM), Unset("plain HTTP"),
        "The server's certificate, followed by its chain. With it Nginx answers HTTPS at TLS_PORT and redirects PORT \
         there (docs/CONTAINERS.md). After a renewal: make renew-certificate.";
    TLS_KEY: Nginx, Text(PEM), Unset("plain HTTP"),
        "The certificate's key, without a passphrase. Set both or neither.";
    TLS_PORT: Nginx, Whole("", 1, 65_535), Is("8443"), "The port of Nginx for HTTPS.";
    TRUSTED_PROXIES: Nginx,
        Text("addresses and networks, comma separated, such as 192.0.2.7,10.1.0.0/16,2001:db8::/32"), Unset("none"),
        "Proxies in front of Nginx whose X-Forwarded-For and X-Forwarded-Proto are trusted (docs/OPERATIONS.md).";

    BIND_ADDRESS: Containers, Text("an address of this machine"), Is("127.0.0.1"),
        "The address on which the containers' Nginx is published.";
    PROMETHEUS_PORT: Containers, Whole("", 1, 65_535), Is("9090"),
        "The port of Prometheus, on 127.0.0.1.";
    GRAFANA_PORT: Containers, Whole("", 1, 65_535), Is("3000"),
        "The port of Grafana, on 127.0.0.1.";
    PROVIDER_NETWORK_INTERNAL: Containers, OneOf(&["true", "false"]), Is("true"),
        "`false` lets the service reach an external distance provider.";
    POSTGRES_VERSION: Containers, Whole("", 15, 18), Is("18"),
        "The major version of PostgreSQL. `make upgrade-postgres` changes it.";
    POSTGRES_PASSWORD: Containers, Secret(LETTERS), Required, "The password of PostgreSQL's superuser.";
    POSTGRES_MIGRATE_PASSWORD: Containers, Secret(LETTERS), Required, "The password of the role that owns the tables.";
    POSTGRES_SERVICE_PASSWORD: Containers, Secret(LETTERS), Required, "The password of the service's role.";
    REDIS_PASSWORD: Containers, Secret(LETTERS), Required, "The password of the service's Redis user.";
    REDIS_HEALTH_PASSWORD: Containers, Secret(LETTERS), Required, "The password of the Redis user for health checks.";
    GRAFANA_PASSWORD: Containers, Secret(LETTERS), Required, "The password of Grafana's user admin.";
}
