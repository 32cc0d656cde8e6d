//! The command line: what to do, in addition to Goose's own options.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use goose::config::GooseConfiguration;

/// Load tests of order-api. They refuse a stack that is not marked for tests (ENVIRONMENT=test).
#[derive(Parser)]
#[command(name = "order-api-loadtests", disable_version_flag = true)]
pub struct CommandLine {
    /// What to do
    #[arg(value_enum)]
    pub mode: Mode,
    /// Run even if the stack is not marked for tests; never against production
    #[arg(long)]
    pub yes_really: bool,
    /// The number of users per scenario, such as customer=4,race=0; others keep their defaults
    #[arg(long, value_name = "LIST", value_parser = Weights::parse, default_value = "")]
    pub weights: Weights,
    /// Record each confirmed change, with its time, in this file
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Goose's options.
    #[command(flatten)]
    pub goose: GooseConfiguration,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Serve the page on port 8089 and wait for Start
    Dashboard,
    /// Run at once, and judge the result by thresholds
    Headless,
    /// Only the race, 50 couriers, 10 s
    Race,
}

/// The users of each scenario, as shares of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// Place orders.
    pub customer: usize,
    /// List orders.
    pub admin: usize,
    /// Take an order of their choice.
    pub courier: usize,
    /// Race.
    pub race: usize,
    /// Push and pop.
    pub queue: usize,
}

impl Weights {
    fn parse(list: &str) -> Result<Self, String> {
        let mut weights = Self {
            customer: 3,
            admin: 1,
            courier: 2,
            race: 3,
            queue: 1,
        };
        for part in list.split(',').filter(|part| !part.is_empty()) {
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} is no name=number"))?;
            let place = match name.trim() {
                "customer" => &mut weights.customer,
                "admin" => &mut weights.admin,
                "courier" => &mut weights.courier,
                "race" => &mut weights.race,
                "queue" => &mut weights.queue,
                other => return Err(format!("there is no scenario {other:?}")),
            };
            *place = weight
                .trim()
                .parse()
                .map_err(|_| format!("{weight:?} is no number of users"))?;
        }
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{CommandLine, Mode};

    fn parse(words: &str) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(format!("order-api-loadtests {words}").split_whitespace())
    }

    #[test]
    fn our_options_extend_those_of_goose() {
        let line = parse("headless --yes-really --users 9 --weights race=0,customer=7").unwrap();
        assert_eq!((line.mode, line.yes_really), (Mode::Headless, true));
        assert_eq!(line.goose.users, Some(9));
        assert_eq!(
            (line.weights.race, line.weights.customer, line.weights.admin),
            (0, 7, 1)
        );
        assert!(!parse("race").unwrap().yes_really);
    }

    #[test]
    fn misspelt_options_are_refused() {
        for words in [
            "",
            "sprint",
            "race --weights runner=1",
            "race --weights race",
            "race --weights race=x",
        ] {
            assert!(parse(words).is_err(), "{words}");
        }
    }
}
