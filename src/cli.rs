//! The commands.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use rocket::error::ErrorKind;
use rocket::tokio::runtime::{self, Runtime};

use crate::config::{self, Config, ConfigError, Environment, page};
use crate::db::Profile;
use crate::db::migrate::{self, MigrateError};
use crate::http::launch::until_stopped;
use crate::ops::probe::{self, ProbeError};
use crate::{app, telemetry};

/// The limit of open files and connections, up to the hard limit.
const OPEN_FILES_MAX: u64 = 65_536;
/// Threads for all blocking work except PostgreSQL, such as resolving host names: Tokio's default for everything.
const OTHER_THREADS_MAX: usize = 512;

/// Places delivery orders and hands each to exactly one courier.
///
/// Environment variables configure everything: see `order-api config`.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve HTTP until SIGTERM or SIGINT
    Serve,
    /// Migrate the database's tables to the latest version
    Migrate,
    /// Check the health of the local `serve`
    Healthcheck,
    /// Show each setting, its value (secrets masked) and its source; fail if one is wrong
    Config {
        /// What to print: the values, or the table of all settings as a file
        #[arg(long, value_enum, default_value = "values")]
        format: Format,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The settings of this process
    Values,
    /// .env.example
    Env,
    /// docs/SETTINGS.md
    Markdown,
}

#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("cannot start the async runtime: {0}")]
    Runtime(#[from] io::Error),
    #[error(transparent)]
    Build(#[from] app::BuildError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, String),
    #[error("cannot serve: {0}")]
    Serve(String),
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

/// Runs the command that the command line names.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::process();
    let done = match Cli::parse().command {
        Command::Serve => serve(&environment),
        Command::Migrate => migrate(&environment),
        Command::Healthcheck => healthcheck(&environment),
        Command::Config { format } => config(&environment, format),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the log may not have been started")]
            {
                eprintln!("order-api: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn migrate(environment: &Environment) -> Result<(), CliError> {
    let database = config::Database::read(environment)?;
    // Run manually or once per release, possibly by another user: it does not touch the service's files.
    let _logs = telemetry::logs::start(&config::Logs {
        directory: None,
        ..config::Logs::read(environment)?
    });
    let ran = migrate::run(&database)?;
    tracing::info!(migrations = ran.join(", "), "the tables are up to date");
    Ok(())
}

fn healthcheck(environment: &Environment) -> Result<(), CliError> {
    let server = config::Server::read(environment)?;
    let answer = probe::ask(server.listen)?;
    print(&format!("{answer}\n"));
    Ok(())
}

fn config(environment: &Environment, format: Format) -> Result<(), CliError> {
    match format {
        Format::Values => {
            print(&page::values(environment));
            Config::read(environment)?;
        }
        Format::Env => print(&page::example()),
        Format::Markdown => print(&page::markdown()),
    }
    Ok(())
}

fn print(answer: &str) {
    #[expect(clippy::print_stdout, reason = "the answer is what the command is for")]
    {
        print!("{answer}");
    }
}

/// A runtime with these numbers of worker threads and of threads for PostgreSQL.
///
/// With a single thread nothing is shared, which is a tenth faster.
fn runtime_of(threads: NonZeroUsize, waiting: usize) -> io::Result<Runtime> {
    let mut builder = match threads.get() {
        1 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    builder
        .worker_threads(threads.get())
        .max_blocking_threads(OTHER_THREADS_MAX + waiting)
        .enable_all()
        .build()
}

fn serve(environment: &Environment) -> Result<(), CliError> {
    let config = Config::read(environment)?;
    let _logs = telemetry::logs::start(&config.logs); // dropped last: the last lines are written
    // A connection is a file: with the usual soft limit of 1024 further clients would have to wait.
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES_MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let waiting = Profile::by_key(&config.database).threads_max();
    let runtime = runtime_of(config.server.worker_threads, waiting)?;
    let rocket = runtime.block_on(async { app::build(&config) })?;
    let served = runtime.block_on(until_stopped(
        rocket,
        config.server.shutdown_drain,
        config.server.shutdown_grace,
    ));
    // Threads that still wait for a dead peer are not waited for.
    runtime.shutdown_background();
    served.map_err(|error| match error.kind() {
        ErrorKind::Bind(reason) => CliError::Listen(config.server.listen, reason.to_string()),
        kind => CliError::Serve(kind.to_string()),
    })
}
