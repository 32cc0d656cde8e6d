//! Load tests of order-api: registers the scenarios, one file each in `scenarios/`.

mod command_line;
mod exchange;
mod guard;
mod harness;
mod ledger;
mod orders;
mod race;
mod scenarios;
mod seen;
mod settings;
mod verdict;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use goose::prelude::*;

use command_line::{CommandLine, Mode};
use harness::Harness;
use ledger::Ledger;
use scenarios::{admin, courier, customer, queue, race as race_scenario};
use verdict::Failure;

#[tokio::main]
async fn main() -> ExitCode {
    let (line, done) = match run(CommandLine::parse()).await {
        Ok(judged) => judged,
        Err(failure) => (None, Err(failure)),
    };
    if let Some(line) = line {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
    let Err(failure) = done else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(std::io::stderr(), "{failure}");
    ExitCode::FAILURE
}

async fn run(line: CommandLine) -> Result<(Option<String>, Result<(), Failure>), Failure> {
    let CommandLine {
        mode,
        yes_really,
        mut weights,
        ledger,
        goose: mut given,
    } = line;
    settings::judge_errors_too(&mut given);
    let host = settings::host(&given).to_owned();
    let client = settings::client(&given).build().map_err(Failure::client)?;
    guard::admit(&client, &host, yes_really).await?;
    let token = token();
    if token.is_none() {
        if given
            .scenarios
            .as_ref()
            .is_some_and(|only| only.active.iter().any(|name| name == "queue"))
        {
            return Err(Failure::NoToken);
        }
        weights.queue = 0;
    }

    let ledger = Ledger::create(ledger.as_deref()).map_err(Failure::ledger)?;
    let harness = Arc::new(Harness::new(yes_really, token.clone(), ledger));
    let mut attack = settings::apply(GooseAttack::initialize_with_config(given.clone())?, mode, &given)?;
    let scenarios = match mode {
        Mode::Race => vec![(race_scenario::scenario(&harness), 1)],
        Mode::Dashboard | Mode::Headless => vec![
            (customer::scenario(&harness), weights.customer),
            (admin::scenario(&harness), weights.admin),
            (courier::scenario(&harness), weights.courier),
            (race_scenario::scenario(&harness), weights.race),
            (queue::scenario(&harness), weights.queue),
        ],
    };
    for (scenario, weight) in scenarios {
        if weight > 0 {
            attack = attack.register_scenario(scenario.set_weight(weight)?);
        }
    }
    let ended = attack.execute().await;
    let lost = match token {
        Some(token) => queue::lost(&client, &host, &token).await,
        None => Ok(0),
    };
    let (line, verdict) = verdict::judge(ended, mode, harness.race.tally());
    let verdict = verdict.and(verdict::no_message_lost(lost));
    Ok((line, verdict.and(verdict::ledger_complete(&harness.ledger))))
}

/// The first of the service's tokens, if they are in the environment.
fn token() -> Option<String> {
    let tokens = std::env::var("API_TOKEN").ok()?;
    let token = tokens.split(',').map(str::trim).find(|token| !token.is_empty());
    token.map(str::to_owned)
}
