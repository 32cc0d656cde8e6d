//! Measures order-api beside what it is built upon: what is run, from top to bottom. README.md tells how to read it.

mod delay;
mod load;
mod request;
mod stack;
mod table;

use std::env;
use std::error::Error;
use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use load::{By, Load, SETTINGS};
use request::{AFTER, LIST, ORDER, PLACE, POP, PUSH, Peer, Request, SHOW, TAKE};
use stack::{Stack, http, shell, spawn};
use table::{MACHINE, Row, met, publish, table};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SERVICE: &str = "the service";
const NGINX: &str = "the service through Nginx";
const OTHER_BUILD: &str = "the other build";
const ALL_WORKERS: &str = "the service, a worker thread for each processor";

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

/// The parameters are the newest order before that.
const SECONDS: &str = "WITH placed AS
    (SELECT date_trunc('second', created_at) AS second, count(*) AS orders FROM orders WHERE id > NEWEST GROUP BY 1),
  whole AS (SELECT coalesce(orders, 0) AS orders FROM generate_series((SELECT min(second) FROM placed) + '1 s'::interval,
    (SELECT max(second) FROM placed) - '1 s'::interval, '1 s') AS second LEFT JOIN placed USING (second))
  SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY orders), min(orders) FROM whole";

/// The most memory that a service had so far, in MiB.
const MEMORY: &str = r#"awk '/^VmHWM:/ && $2 > most { most = $2 } END { printf "%.0f", most / 1024 }' \
    $(pgrep -x order-api | sed 's:.*:/proc/&/status:')"#;

impl Bench {
    /// The service and its peers in turn, at 64 connections, and at 256 for the latency.
    fn side_by_side(&mut self, chosen: impl Fn(Case) -> bool) -> Result<()> {
        let nginx = By::Http(NGINX, self.load.stack.nginx.clone());
        let mut rows = Vec::new();
        for (request, case, direct, through_nginx) in [
            (&PLACE, Case::Orders, 2.5, 1.6),
            (&TAKE, Case::Orders, 2.5, 1.8),
            (&LIST, Case::Orders, 1.3, 0.7),
            (&PUSH, Case::Queue, 0.9, 0.0),
            (&POP, Case::Queue, 0.9, 0.0),
        ] {
            if chosen(case) || chosen(Case::Nginx) {
                rows.extend(peers(request, &self.load.stack.database));
            }
            for (case, by, aim) in [
                (case, self.service(), direct),
                (Case::Nginx, nginx.clone(), through_nginx),
            ] {
                if chosen(case) {
                    rows.push(Row::new(request, &by, 64, aim));
                    rows.push(Row::new(request, &by, 256, 0.0));
                }
            }
        }
        self.measure("Side by side", 5, rows)
    }

    /// PostgreSQL behind a proxy: a round trip takes 1 ms longer, for pgbench and the service alike.
    fn distant(&mut self) -> Result<()> {
        let sockets = self.load.stack.sql("SHOW unix_socket_directories")?;
        let server = format!("{sockets}/.s.PGSQL.5432");
        let port = delay::serve(server.into(), Duration::from_micros(500))?;
        let names = "SELECT format('postgresql://%s@127.0.0.1:PORT/%s', current_user, current_database())";
        let database = self.load.stack.sql(&names.replace("PORT", &port.to_string()))?;
        let url = self.serve(&format!("DATABASE_URL={database}"))?;
        let rows = orders(&database, &[By::Http(SERVICE, url)]);
        self.measure("A database 1 ms away", 3, rows)
    }

    /// Endless loops on half as many threads as there are processors, wherever the kernel puts them.
    fn busy(&mut self) -> Result<()> {
        let processors = available_parallelism()?.get();
        let url = self.serve(&format!("WORKER_THREADS={processors}"))?;
        let services = [self.service(), By::Http(ALL_WORKERS, url)];
        let loops = (0..1.max(processors / 2)).map(|_| spawn("while :; do :; done", &[]));
        let _busy: Vec<_> = loops.collect::<Result<_>>()?;
        let rows = orders(&self.load.stack.database, &services);
        self.measure("Half of the machine taken by somebody else", 3, rows)
    }

    /// More connections than may wait: a lane lets 1,024 wait, and looks at 256.
    fn overload(&mut self) -> Result<()> {
        self.load.seconds = if self.smoke { 1.0 } else { 8.0 };
        let (url, place) = (self.load.stack.service.clone(), PLACE.http);
        let said = self.load.wrk_says(&url, place, 2000, [0.0, 1.0], true)?;
        let well = until_well(&url)?;
        let [
            _,
            _,
            _,
            _,
            _,
            placed,
            p50,
            p99,
            refused,
            refused_p50,
            refused_p99,
            other,
            ..,
        ] = *said
        else {
            return Err("wrk has told too little".into());
        };
        if placed == 0.0 || other > 0.0 {
            let wrong = format!("overload: {placed} placed, {other} answers neither 200 nor 503");
            self.load.wrong.push(wrong);
        }
        let memory: f64 = shell(MEMORY, &[])?.parse()?;
        let placed_in_time = met(p99 < 250.0, "p99 < 250 ms");
        let refused_in_time = met(refused > 0.0 && refused_p99 < 50.0, "some, p99 < 50 ms");
        let (well_in_time, small) = (met(well < 1000.0, "< 1,000 ms"), met(memory < 64.0, "< 64 MiB"));
        self.say(&format!(
            "\n### Overload: `POST /orders` on 2,000 connections\n\n\
             | | answers | p50, ms | p99, ms | aim |\n| --- | --- | --- | --- | --- |\n\
             | placed (`200`) | {placed} | {p50} | {p99} | {placed_in_time} |\n\
             | refused (`503`) | {refused} | {refused_p50} | {refused_p99} | {refused_in_time} |\n\n\
             It was well again after {well:.0} ms ({well_in_time}), and had {memory} MiB at most ({small})."
        ))
    }

    /// Placing for a minute, by the seconds in which PostgreSQL has placed the orders.
    fn minute(&mut self) -> Result<()> {
        self.load.seconds = if self.smoke { 3.0 } else { 60.0 };
        let mut text = "\n### A sustained minute of `POST /orders` at 64 connections\n\n\
             | by | per second, median | ratio | slowest second | ratio |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
        let mut peer = None;
        for by in [same_settings(&self.load.stack.database), self.service()] {
            let newest = self.load.stack.sql("SELECT max(id) FROM orders")?;
            self.load.measure(&PLACE, &by, 64)?;
            let [median, slowest] = self.load.stack.pair(&SECONDS.replace("NEWEST", &newest))?;
            let (peer_median, peer_slowest) = *peer.get_or_insert((median, slowest));
            let (name, ratio) = (by.name(), median / peer_median);
            let of_slowest = slowest / peer_slowest;
            text += &format!("| {name} | {median} | {ratio:.2} | {slowest} | {of_slowest:.2} |\n");
        }
        self.say(&text)
    }

    /// Ten million orders in the table; `after` and one order ask for ids all over it.
    fn large(&mut self) -> Result<()> {
        let wanted = if self.smoke { 1e5 } else { 1e7 };
        let present: f64 = self.load.stack.sql("SELECT count(*) FROM orders")?.parse()?;
        self.load.place((wanted - present).max(1.0))?;
        self.load.stack.sql("VACUUM ANALYZE orders")?;
        let mut rows = orders(&self.load.stack.database, &[self.service()]);
        for request in [&AFTER, &SHOW] {
            rows.extend(peers(request, &self.load.stack.database));
            rows.push(Row::new(request, &self.service(), 64, 0.0));
        }
        self.measure("10 million orders in the table", 3, rows)
    }

    /// Another build beside this one.
    fn compare(&mut self, build: &str) -> Result<()> {
        let url = self.load.stack.serve(build, "ENVIRONMENT=test")?;
        let (other, mut rows) = (By::Http(OTHER_BUILD, url), Vec::new());
        for request in [&PLACE, &TAKE, &LIST, &SHOW, &PUSH, &POP] {
            for connections in [1, 64] {
                rows.push(Row::new(request, &other, connections, 0.0));
                rows.push(Row::new(request, &self.service(), connections, 0.0));
            }
        }
        self.measure("Beside another build", 10, rows)
    }

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

    fn service(&self) -> By {
        By::Http(SERVICE, self.load.stack.service.clone())
    }

    /// Another instance of the build that is measured.
    fn serve(&mut self, setting: &str) -> Result<String> {
        self.load.stack.serve(&env::var("BINARY")?, setting)
    }

    fn say(&mut self, text: &str) -> Result<()> {
        self.text += text;
        self.text += "\n";
        Ok(writeln!(stdout(), "{text}")?)
    }

    fn end(mut self, to_page: bool) -> Result<()> {
        let [ours, all] = self.load.spent;
        let others = (1.0 - ours / all.max(1.0)) * 100.0;
        self.say(&format!(
            "\nOther processes took {others:.0} % of the CPU time that was used."
        ))?;
        match self.load.wrong.join("\n") {
            wrong if !wrong.is_empty() => Err(format!("wrong answers:\n{wrong}").into()),
            _ if to_page => publish(&self.text),
            _ => Ok(()),
        }
    }
}

/// The milliseconds from now to the first of twenty orders in a row that take less than 50 ms each.
fn until_well(url: &str) -> Result<f64> {
    let (end, mut since, mut row) = (Instant::now(), 0.0, 0);
    while row < 20 {
        let sent = Instant::now();
        if sent - end > Duration::from_secs(30) {
            return Err("the service was not well again 30 s after the overload".into());
        }
        let placed = http(url, "POST /orders", ORDER).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"));
        row = if placed && sent.elapsed() < Duration::from_millis(50) {
            row + 1
        } else {
            0
        };
        since = if row == 1 {
            (sent - end).as_secs_f64() * 1000.0
        } else {
            since
        };
    }
    Ok(since)
}

/// The orders' requests at 64 connections, beside pgbench.
fn orders(database: &str, services: &[By]) -> Vec<Row> {
    let mut rows = Vec::new();
    for request in [&PLACE, &TAKE, &LIST] {
        rows.extend(peers(request, database));
        rows.extend(services.iter().map(|by| Row::new(request, by, 64, 0.0)));
    }
    rows
}

/// What does the same without the service: pgbench with as many clients as it is usually best with, and with as many
/// as the service has.
fn peers(request: &'static Request, database: &str) -> Vec<Row> {
    let ways = match request.peer {
        Peer::Redis(..) => vec![(By::Webdis, 64), (By::RedisBenchmark, 50)],
        Peer::Pgbench(_) => {
            let (plain, same) = (
                By::Pgbench("pgbench", database.into(), ""),
                same_settings(database),
            );
            vec![(plain.clone(), 16), (plain, 64), (same.clone(), 16), (same, 64)]
        }
    };
    let rows = ways
        .iter()
        .map(|(by, clients)| Row::new(request, by, *clients, 0.0));
    rows.collect()
}

fn same_settings(database: &str) -> By {
    By::Pgbench("pgbench, service's settings", database.into(), SETTINGS)
}
