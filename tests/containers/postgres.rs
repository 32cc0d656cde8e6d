//! Privileges in PostgreSQL.

use crate::stack::{as_superuser, place, said, secret, up};

/// `psql`'s output for a statement of this role, with its password.
fn psql(role: &str, password: &str, statement: &str) -> String {
    let login = format!("PGPASSWORD={password}");
    let exec = [
        "exec",
        "-T",
        "-e",
        &login,
        "order-api-db",
        "psql",
        "--no-psqlrc",
        "-At",
    ];
    let server = ["-h", "127.0.0.1", "-U", role, "order_api", "-c", statement];
    said("scripts/compose.sh", &[&exec[..], &server[..]].concat())
}

fn as_the_service(statement: &str) -> String {
    psql(
        "order_api_service",
        &secret("POSTGRES_SERVICE_PASSWORD"),
        statement,
    )
}

#[rocket::async_test]
async fn the_service_may_read_and_write_rows_and_nothing_else() {
    up(1);
    place().await;
    assert_ne!(as_the_service("SELECT count(*) FROM orders").trim(), "0");
    for statement in [
        "CREATE TABLE mine (id int)",
        "DROP TABLE orders",
        "ALTER TABLE orders ADD COLUMN mine int",
        "TRUNCATE orders",
        "CREATE ROLE mine SUPERUSER",
        "CREATE DATABASE mine",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY orders TO PROGRAM 'cat'",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_reload_conf()",
        "SET ROLE order_api",
    ] {
        let refused = as_the_service(statement);
        assert!(
            refused.contains("permission denied") || refused.contains("must be owner"),
            "{statement}: {refused}"
        );
    }
}

#[test]
fn a_role_without_its_password_is_refused() {
    up(1);
    for role in ["order_api", "order_api_migrate", "order_api_service"] {
        let refused = psql(role, "wrong", "SELECT 1");
        assert!(
            refused.contains("password authentication failed"),
            "{role}: {refused}"
        );
    }
}

/// The processes of a container are the machine's, and everyone on it may read what they were called with.
#[test]
fn no_password_is_on_a_command_line() {
    up(1);
    let shell = ["run", "--rm", "--no-deps", "-T", "--entrypoint", "sh"];
    let traced = ["order-api-roles", "-x", "/etc/order-api/roles.sh"];
    let said = said("scripts/compose.sh", &[&shell[..], &traced].concat());
    let command = said.lines().find(|line| line.starts_with("+ exec psql"));
    let command = command.unwrap_or_else(|| panic!("{said}"));
    for name in ["POSTGRES_MIGRATE_PASSWORD", "POSTGRES_SERVICE_PASSWORD"] {
        assert!(!command.contains(&secret(name)), "{name}");
    }
}

#[rocket::async_test]
async fn tables_created_by_the_superuser_are_handed_over() {
    up(1);
    let id = place().await;
    as_superuser("ALTER TABLE orders OWNER TO order_api");
    up(1);
    let owner = as_superuser("SELECT relowner::regrole FROM pg_class WHERE relname = 'orders'");
    assert_eq!(owner, "order_api_migrate");
    assert!(place().await > id);
}
