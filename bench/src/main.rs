//! Measures order-api beside what it is built upon: what is run, from top to bottom. README.md tells how to read it.

mod cases;
mod delay;
mod load;
mod request;
mod stack;
mod table;

use std::error::Error;
use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use load::Load;
use stack::{Stack, shell};
use table::{MACHINE, Row, publish, table};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SERVICE: &str = "the service";
const NGINX: &str = "the service through Nginx";
const OTHER_BUILD: &str = "the other build";

/// Measures order-api beside pgbench, redis-benchmark and Webdis.
#[derive(Parser)]
struct Options {
    /// The cases to run, in place of all
    #[arg(value_enum)]
    cases: Vec<Case>,
    /// Run everything once and briefly: it says whether all of it is measured, nothing of speed
    #[arg(long)]
    smoke: bool,
    /// Write the result into bench/README.md
    #[arg(long, conflicts_with_all = ["smoke", "cases", "compare"])]
    publish: bool,
    /// Measure another build of the service in turn with this one, and nothing else
    #[arg(long, conflicts_with = "cases")]
    compare: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    Orders,
    Queue,
    Nginx,
    Distant,
    Busy,
    Overload,
    Minute,
    Large,
}

struct Bench {
    load: Load,
    /// One round, and the shortest measurements.
    smoke: bool,
    /// The result so far, in Markdown.
    text: String,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let seconds = if options.smoke { 0.2 } else { 1.0 };
    let mut bench = Bench {
        load: Load::new(Stack::find()?, seconds)?,
        smoke: options.smoke,
        text: String::new(),
    };
    let chosen = |case| options.cases.is_empty() || options.cases.contains(&case);
    bench.say(&shell(MACHINE, &[])?)?;
    if let Some(build) = &options.compare {
        bench.compare(build)?;
        return bench.end(false);
    }
    if chosen(Case::Orders) || chosen(Case::Queue) || chosen(Case::Nginx) {
        bench.side_by_side(chosen)?;
    }
    for (case, run) in [
        (Case::Distant, Bench::distant as fn(&mut Bench) -> Result<()>),
        (Case::Busy, Bench::busy),
        (Case::Overload, Bench::overload),
        (Case::Minute, Bench::minute),
        (Case::Large, Bench::large),
    ] {
        if chosen(case) {
            run(&mut bench)?;
            bench.load.seconds = seconds;
        }
    }
    bench.end(options.publish)
}

impl Bench {
    /// Each in turn, and backwards in each second round: so each comes as often before its neighbour as after it.
    fn measure(&mut self, title: &str, rounds: usize, mut rows: Vec<Row>) -> Result<()> {
        for round in 0..if self.smoke { 1 } else { rounds } {
            let mut order: Vec<_> = rows.iter_mut().collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for row in order {
                let sample = self.load.measure(row.request, &row.by, row.connections)?;
                row.samples.push(sample);
            }
        }
        self.say(&format!("\n### {title}\n\n{}", table(&rows)))
    }

    fn say(&mut self, text: &str) -> Result<()> {
        self.text += text;
        self.text += "\n";
        Ok(writeln!(stdout(), "{text}")?)
    }

    fn end(mut self, to_page: bool) -> Result<()> {
        let [ours, all] = self.load.spent;
        let others = (1.0 - ours / all.max(1.0)) * 100.0;
        // A process is charged for the time in which a busy host has taken the processor away from a virtual machine.
        self.say(&if others < 0.0 {
            format!(
                "\nThe parts were charged {:.0} % more CPU time than the machine counted.",
                -others
            )
        } else {
            format!("\nOther processes took {others:.0} % of the CPU time that was used.")
        })?;
        match self.load.wrong.join("\n") {
            wrong if !wrong.is_empty() => Err(format!("wrong answers:\n{wrong}").into()),
            _ if to_page => publish(&self.text),
            _ => Ok(()),
        }
    }
}
