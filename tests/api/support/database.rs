//! A database for one test: a copy of a migrated template.

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use reqwest::Url;

/// Dropped with the test.
pub struct Database {
    pub url: String,
    server: String,
    name: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Database {
    /// With all tables, empty.
    pub fn migrated() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let template = Self::empty();
            template.migrate();
            let name = template.name.clone();
            std::mem::forget(template);
            name
        });
        Self::create(&format!("TEMPLATE {template}"))
    }

    /// Without any table.
    pub fn empty() -> Self {
        Self::create("")
    }

    fn create(how: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let server = std::env::var("DATABASE_URL").expect("DATABASE_URL is not set: run `make test`");
        let name = format!("test_{}_{number}", std::process::id());
        connect(&server)
            .batch_execute(&format!("CREATE DATABASE {name} {how}"))
            .unwrap();
        let mut url = Url::parse(&server).unwrap();
        url.set_path(&name);
        Self {
            url: url.into(),
            server,
            name,
        }
    }

    /// Runs `order-api migrate`.
    pub fn migrate(&self) {
        let migrated = self.migrate_command().status().unwrap();
        assert!(migrated.success());
    }

    pub fn migrate_command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_order-api"));
        command
            .arg("migrate")
            .env("DATABASE_URL", &self.url)
            .env("LOG_LEVEL", "warn");
        command
    }

    pub fn connect(&self) -> PgConnection {
        connect(&self.url)
    }

    /// The number that a statement returns as `number`.
    pub fn number(&self, statement: &str) -> i64 {
        let row: Number = sql_query(statement).get_result(&mut self.connect()).unwrap();
        row.number
    }

    /// Returns once no other session is connected to this database.
    pub fn wait_until_alone(&self) {
        let others = "SELECT count(*) AS number FROM pg_stat_activity
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        while self.number(others) > 0 {}
    }

    pub fn orders(&self) -> i64 {
        self.number("SELECT count(*) AS number FROM orders")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        connect(&self.server).batch_execute(&drop).unwrap();
    }
}

pub fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}
