//! PostgreSQL that crashes, and `order-api migrate`.

mod batch;
mod connecting;
mod failover;
mod given_up;
mod hosts;
mod limits;
mod profile;
mod read_only;
mod silent;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::select;
use diesel::sql_types::Integer;
use diesel_migrations::MigrationHarness;
use order_api::config::{self, Environment};
use order_api::db::migrate::MIGRATIONS;
use order_api::db::{Database as Pool, Profile};
use rocket::tokio::time::Instant;

use crate::support::Database;

/// The service's pool, with these variables in addition.
fn pool(url: &str, variables: &[(&str, &str)]) -> Pool {
    let config = configured(url, variables);
    Pool::new(&config, Profile::by_key(&config))
}

fn configured(url: &str, variables: &[(&str, &str)]) -> config::Database {
    let variables = [&[("DATABASE_URL", url)][..], variables].concat();
    config::Database::read(&Environment::of(&variables)).unwrap()
}

fn within_ms(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// Takes this many seconds, and returns the process id of its connection.
fn process_after(seconds: f64) -> impl FnOnce(&mut PgConnection) -> QueryResult<i32> + Send + 'static {
    let process = sql::<Integer>(&format!("pg_backend_pid() FROM pg_sleep({seconds})"));
    move |connection: &mut PgConnection| select(process).get_result(connection)
}

const MIGRATED: &str = "SELECT count(*) AS number FROM __diesel_schema_migrations";

#[test]
fn concurrent_migrations_of_an_empty_database_both_succeed() {
    let database = Database::empty();
    let start = || database.migrate_command().spawn().unwrap();
    let running: Vec<Child> = (0..4).map(|_| start()).collect();
    for mut migrating in running {
        assert!(migrating.wait().unwrap().success());
    }
    let known = diesel::migration::MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS).unwrap();
    assert_eq!(usize::try_from(database.number(MIGRATED)), Ok(known.len()));
}

#[test]
fn a_migration_waits_for_another_without_a_running_statement() {
    let database = Database::empty();
    // The session ends after 5 s: a migration that waited inside PostgreSQL would succeed without logging.
    let lock = "SET idle_session_timeout = '5s'; SELECT pg_advisory_lock(hashtext('order-api migrate'))";
    let mut another = database.connect();
    another.batch_execute(lock).unwrap();
    let mut command = database.migrate_command();
    let command = command.env("LOG_LEVEL", "info").stdout(Stdio::piped());
    let mut migrating = command.spawn().unwrap();
    let said = BufReader::new(migrating.stdout.take().unwrap()).lines();
    let mut said = said.map_while(Result::ok);
    assert!(said.any(|line| line.contains("another process is migrating; waiting for it")));
    drop(another);
    assert!(said.any(|line| line.contains("the tables are up to date")));
    assert!(migrating.wait().unwrap().success());
}

/// A change on a connection that has become read-only.
fn refused_as_read_only(connection: &mut PgConnection) -> QueryResult<()> {
    [
        "SET default_transaction_read_only = on",
        "CREATE TABLE refused ()",
    ]
    .into_iter()
    .try_for_each(|statement| connection.batch_execute(statement))
}

/// The database's tables as SQL.
fn dump(database: &Database) -> String {
    let output = Command::new("pg_dump")
        .args(["--schema-only", "--restrict-key=x", &database.url])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn up_down_and_up_again_leaves_the_same_tables() {
    let database = Database::empty();
    database.migrate();
    let once = dump(&database);
    assert!(once.contains("CREATE TABLE public.orders"));
    database.connect().revert_all_migrations(MIGRATIONS).unwrap();
    assert!(!dump(&database).contains("CREATE TABLE public.orders"));
    database.migrate();
    assert_eq!(dump(&database), once);
}

#[test]
fn an_unreachable_database_is_named_in_one_line() {
    let database = Database::empty();
    let nowhere = database.url.replace("host=", "host=%2Fnowhere");
    let stopped = database
        .migrate_command()
        .env("DATABASE_URL", nowhere)
        .output()
        .unwrap();
    let stderr = String::from_utf8(stopped.stderr).unwrap();
    assert_eq!(stopped.status.code(), Some(1));
    assert!(
        stderr.starts_with("order-api: cannot connect to PostgreSQL: "),
        "{stderr}"
    );
}
