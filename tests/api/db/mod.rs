//! PostgreSQL that dies impolitely, and `order-api migrate`.

mod failover;
mod limits;
mod read_only;
mod silent;

use std::process::{Child, Command};

use diesel_migrations::MigrationHarness;
use order_api::db::migrate::MIGRATIONS;

use crate::support::Database;

const MIGRATED: &str = "SELECT count(*) AS number FROM __diesel_schema_migrations";

#[test]
fn two_that_migrate_an_empty_database_at_once_both_succeed() {
    let database = Database::empty();
    let start = || database.migrate_command().spawn().unwrap();
    let running: Vec<Child> = (0..4).map(|_| start()).collect();
    for mut migrating in running {
        assert!(migrating.wait().unwrap().success());
    }
    let known = diesel::migration::MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS).unwrap();
    assert_eq!(usize::try_from(database.number(MIGRATED)), Ok(known.len()));
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
fn a_database_that_cannot_be_reached_is_named_in_one_line() {
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
