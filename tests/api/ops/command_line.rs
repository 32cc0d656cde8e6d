//! The commands, and how they refuse a wrong configuration.

use std::process::{Command, Output};

use crate::support::{Database, required};

fn order_api(arguments: &[&str], variables: Vec<(String, String)>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_order-api"))
        .args(arguments)
        .env_clear()
        .env("LOG_DIR", "-")
        .envs(variables)
        .output()
        .unwrap()
}

#[test]
fn a_missing_variable_stops_the_program_with_one_line() {
    for command in ["serve", "migrate"] {
        let stopped = order_api(&[command], Vec::new());
        assert_eq!(stopped.status.code(), Some(1));
        let sentence = "order-api: DATABASE_URL must be a PostgreSQL URL such as \
                        postgresql://user:password@host:5432/name, but it is not set\n";
        assert_eq!(String::from_utf8(stopped.stderr).unwrap(), sentence);
    }
}

#[test]
fn a_port_in_use_stops_the_program_with_one_line() {
    let database = Database::empty();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let mut variables = required(&database.url);
    variables.push(("LISTEN".to_owned(), listen.clone()));
    let stopped = order_api(&["serve"], variables);
    let stderr = String::from_utf8(stopped.stderr).unwrap();
    assert_eq!(stopped.status.code(), Some(1));
    assert!(
        stderr.starts_with(&format!("order-api: cannot listen on {listen}: ")),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn config_shows_settings_without_secrets_and_fails_if_one_is_wrong() {
    let mut variables = required("postgresql://me:hunter2@127.0.0.1/orders");
    let shown = order_api(&["config"], variables.clone());
    assert!(shown.status.success(), "{shown:?}");
    variables.push(("LISTEN".to_owned(), "localhost".to_owned()));
    let wrong = order_api(&["config"], variables);
    assert_eq!(wrong.status.code(), Some(1));
    let sentence =
        "order-api: LISTEN must be an address and a port such as 127.0.0.1:8000, but it is \"localhost\"\n";
    assert_eq!(String::from_utf8(wrong.stderr).unwrap(), sentence);
    for page in [shown.stdout, wrong.stdout] {
        let page = String::from_utf8(page).unwrap();
        assert!(
            page.contains("DATABASE_URL=********") && !page.contains("hunter2"),
            "{page}"
        );
        assert!(page.contains("\nLOG_DIR=- "), "{page}");
    }
}

#[test]
fn a_command_that_does_not_exist_is_a_usage_error() {
    let stopped = order_api(&["dance"], Vec::new());
    assert_eq!(stopped.status.code(), Some(2));
}
