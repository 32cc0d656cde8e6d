//! The load generators, and whether the databases hold what they have counted.

use crate::Result;
use crate::request::{LIST, ORDERS, POP, PUSH, Peer, Request, TAKE};
use crate::stack::{PARTS, Stack, http, numbers, shell, ticks};

/// Who is asked, by which load generator.
#[derive(Clone, PartialEq)]
pub enum By {
    /// wrk asks a service at this URL, or Nginx.
    Http(&'static str, String),
    /// pgbench asks the database at this URL, with these session settings.
    Pgbench(&'static str, String, &'static str),
    Webdis,
    RedisBenchmark,
}

/// What one measurement tells. Numbers of answers and orders are far below those that `f64` holds exactly.
pub struct Sample {
    pub answers: f64,
    pub errors: f64,
    pub rate: f64,
    /// In milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// In microseconds for each answer, of each of [`PARTS`].
    pub cpu: Vec<f64>,
}

/// One thread is enough, and takes the least of the processors. wrk knows whole seconds; `timeout` does not.
const WRK: &str = r#"ulimit -n 8192
    seconds=$1 connections=$2 url=$3
    shift 3
    timeout --foreground --preserve-status --signal=INT "$seconds" wrk --threads=1 --connections="$connections" \
        --duration=1h --script=bench/load/wrk.lua "$url" -- "$@" | sed -n 's/^measured //p'"#;

/// The time of each tenth transaction is noted: that of all would cost more.
const PGBENCH: &str = r#"cd "$STACK_DIR"
    printf '%s;\n' "$5" | PGOPTIONS=$4 pgbench --no-vacuum --protocol=prepared --jobs=2 --file=- "$1" --client="$2" "$3" \
        --log --sampling-rate=0.1 --define=turn=-1 --define=limit=20 --define=offset=0 --define=distance=1256281 \
        --define=origin_lat=50.456399 --define=origin_lng=12.70758 \
        --define=destination_lat=59.436487 --define=destination_lng=24.747193
    cut -d ' ' -f 3 pgbench_log.*
    rm pgbench_log.*"#;

/// The session settings of the service, as `src/db/connect.rs` has them.
pub const SETTINGS: &str =
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_nestloop=off -c jit=off";

/// Answers that may be done without being counted: those under way when the time is up, of this measurement and of
/// the one before it.
const UNDER_WAY: f64 = 512.0;

pub struct Load {
    pub stack: Stack,
    /// How long a measurement takes.
    pub seconds: f64,
    /// Answers that were wrong.
    pub wrong: Vec<String>,
    /// CPU time of the parts, and of everything on the machine.
    pub spent: [f64; 2],
    /// Orders are free to be taken from the first one on, to before the second one.
    free: [f64; 2],
}

impl Load {
    pub fn new(stack: Stack, seconds: f64) -> Result<Self> {
        let (wrong, spent, free) = (Vec::new(), [0.0; 2], [0.0; 2]);
        let mut load = Self {
            stack,
            seconds,
            wrong,
            spent,
            free,
        };
        load.place(load.enough())?;
        Ok(load)
    }

    /// Measures once, and looks whether it was done.
    pub fn measure(&mut self, request: &Request, by: &By, connections: u32) -> Result<Sample> {
        let ids = self.ids(request)?;
        let (before, ticks_before) = (self.count(request, ids)?, ticks()?);
        let mut sample = match (by, &request.peer) {
            (By::Http(_, url), _) => self.wrk(url, request.http, connections, ids)?,
            (By::Webdis, Peer::Redis(_, http)) => self.wrk(&self.stack.webdis, *http, connections, ids)?,
            (By::RedisBenchmark, Peer::Redis(command, _)) => self.redis_benchmark(command, connections)?,
            (By::Pgbench(_, url, settings), Peer::Pgbench(sql)) => {
                self.pgbench(sql, &[url, settings], connections, ids)?
            }
            _ => return Err("nothing of the kind can be asked there".into()),
        };
        let ticks = ticks()?.into_iter().zip(ticks_before);
        let spent: Vec<f64> = ticks.map(|(after, before)| after - before).collect();
        self.spent[0] += spent.iter().take(PARTS.len()).sum::<f64>();
        self.spent[1] += spent.last().unwrap_or(&0.0);
        let cpu = spent.iter().map(|ticks| ticks * 10_000.0 / sample.answers);
        sample.cpu = cpu.collect();
        let done = (self.count(request, ids)? - before).abs();
        self.check(request, by, &sample, done)?;
        shell(r#"for log in "$STACK_DIR"/*/log; do : >"$log"; done"#, &[])?; // each request is a line in two of them
        Ok(sample)
    }

    fn check(&mut self, request: &Request, by: &By, sample: &Sample, done: f64) -> Result<()> {
        let (answers, errors) = (sample.answers, sample.errors);
        let counted = request.changes.is_empty() || (answers..=answers + UNDER_WAY).contains(&done);
        if errors > 0.0 || answers == 0.0 || !counted {
            let what = format!("{} by {}", request.name, by.name());
            let wrong = format!("{what}: {answers} answers, {errors} errors, {done} done");
            self.wrong.push(wrong);
        }
        if let (true, By::Http(name, url)) = (request.name == LIST.name, by) {
            let answer = http(url, "GET /orders?page=1&limit=20", "")?;
            let orders = answer.split("\"id\":").skip(1);
            let listed: Vec<_> = orders.filter_map(|order| order.split(',').next()).collect();
            let newest = "SELECT id FROM orders ORDER BY id DESC LIMIT 20";
            if listed.join("\n") != self.stack.sql(newest)? {
                self.wrong.push(format!("{name} does not list the newest orders"));
            }
        }
        Ok(())
    }

    /// From which id on how many are asked for: those that nobody has taken yet, or all.
    fn ids(&mut self, request: &Request) -> Result<[f64; 2]> {
        let enough = self.enough();
        if request.name == POP.name && self.count(request, [0.0; 2])? < enough {
            let fill = r#"redis-benchmark -p "$1" -c 4 -P 100 -q -n "$2" RPUSH message_queue "$3""#;
            let many = (enough * 3.0).to_string();
            shell(fill, &[&self.stack.redis, &many, PUSH.http[2]])?;
        }
        if request.name == TAKE.name {
            if self.free[1] - self.free[0] < enough {
                self.place(enough * 4.0)?;
            }
            self.free[0] += enough;
            return Ok([self.free[0] - enough, enough]);
        }
        self.stack.pair("SELECT min(id), max(id) - min(id) FROM orders")
    }

    /// More than are taken or popped in one measurement.
    fn enough(&self) -> f64 {
        (150_000.0 * self.seconds).ceil()
    }

    /// Places orders; one statement numbers them without a gap.
    pub fn place(&mut self, orders: f64) -> Result<()> {
        let place = format!("WITH new AS ({ORDERS}{orders}) RETURNING id)");
        self.free = self
            .stack
            .pair(&format!("{place} SELECT min(id), max(id) + 1 FROM new"))?;
        Ok(())
    }

    /// What each success changes by one.
    fn count(&self, request: &Request, [first, span]: [f64; 2]) -> Result<f64> {
        let last = first + span;
        match (&request.peer, request.changes) {
            (Peer::Redis(..), _) => self.stack.queue_length(),
            (_, "") => Ok(0.0),
            (_, changes) => {
                let rows = changes
                    .replace("FIRST", &first.to_string())
                    .replace("LAST", &last.to_string());
                let count = format!("SELECT count(*) FROM orders WHERE {rows}");
                Ok(self.stack.sql(&count)?.parse()?)
            }
        }
    }

    fn wrk(&self, url: &str, http: [&str; 3], connections: u32, ids: [f64; 2]) -> Result<Sample> {
        match *self.wrk_says(url, http, connections, ids, false)? {
            [answers, seconds, p50, p99, errors, ..] => Ok(Sample::of(answers, errors, seconds, p50, p99)),
            _ => Err("wrk has told too little".into()),
        }
    }

    /// What `wrk.lua` tells.
    pub fn wrk_says(
        &self,
        url: &str,
        [method, path, body]: [&str; 3],
        connections: u32,
        ids: [f64; 2],
        timed: bool,
    ) -> Result<Vec<f64>> {
        let [first, span] = ids.map(|id| id.to_string());
        let (seconds, connections) = (self.seconds.to_string(), connections.to_string());
        let arguments = [
            &seconds,
            &connections,
            url,
            method,
            path,
            body,
            &first,
            &span,
            &timed.to_string(),
        ];
        numbers(shell(WRK, &arguments)?.split_whitespace())
    }

    fn pgbench(&self, sql: &str, session: &[&str; 2], clients: u32, ids: [f64; 2]) -> Result<Sample> {
        let ([first, span], [url, settings], seconds) = (ids, *session, self.seconds);
        let id = format!("{first} + (:turn * {clients} + :client_id) * 7919 % {span}");
        let script = format!("\\set turn :turn + 1\n\\set id {id}\n{sql}");
        let script = if sql.contains(":id") { &script } else { sql }; // it costs pgbench time
        let brief = (seconds < 1.0).then_some("--transactions=20".to_owned());
        let length = brief.unwrap_or_else(|| format!("--time={seconds}"));
        let said = shell(PGBENCH, &[&length, &clients.to_string(), url, settings, script])?;
        let told = |name: &str| {
            let mut rest = said.lines().filter_map(|line| line.strip_prefix(name));
            rest.next()?.split(['/', '(']).next()?.trim().parse::<f64>().ok()
        };
        let answers = told("number of transactions actually processed:").ok_or("pgbench failed")?;
        let errors = told("number of failed transactions:").unwrap_or(0.0);
        let seconds = answers / told("tps =").ok_or("pgbench tells no rate")?;
        let mut times: Vec<f64> = said.lines().filter_map(|line| line.parse().ok()).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len() * share / 100).unwrap_or(&0.0) / 1000.0;
        Ok(Sample::of(answers, errors, seconds, at(50), at(99)))
    }

    fn redis_benchmark(&self, command: &[&str], clients: u32) -> Result<Sample> {
        let (answers, clients) = (100_000.0 * self.seconds, clients.to_string());
        let arguments = [
            &self.stack.redis,
            "-c",
            &clients,
            "-n",
            &answers.to_string(),
            "--csv",
        ];
        let said = shell(r#"redis-benchmark -p "$@""#, &[&arguments, command].concat())?;
        let numbers: Vec<f64> = said.split('"').filter_map(|field| field.parse().ok()).collect();
        match *numbers {
            [rate, _, _, p50, _, p99, ..] => Ok(Sample::of(answers, 0.0, answers / rate, p50, p99)),
            _ => Err(format!("redis-benchmark says {said}").into()),
        }
    }
}

impl Sample {
    fn of(answers: f64, errors: f64, seconds: f64, p50: f64, p99: f64) -> Self {
        let (rate, cpu) = (answers / seconds, Vec::new());
        Self {
            answers,
            errors,
            rate,
            p50,
            p99,
            cpu,
        }
    }
}

impl By {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http(name, _) | Self::Pgbench(name, ..) => name,
            Self::Webdis => "Webdis",
            Self::RedisBenchmark => "redis-benchmark",
        }
    }
}
