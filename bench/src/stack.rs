//! What is measured: the stack that `scripts/stack.sh` has started, and the processes that a case adds to it.

use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;

/// A process that ends with its owner, and with this program whatever ends that.
pub struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The stack, and where each part of it is reached.
pub struct Stack {
    pub service: String,
    pub nginx: String,
    pub webdis: String,
    pub database: String,
    /// Its port.
    pub redis: String,
    daemons: Vec<Daemon>,
}

/// The parts whose CPU time is told apart, and the names of their processes.
pub const PARTS: [(&str, &str); 6] = [
    ("service", "order-api"),
    ("Nginx", "nginx"),
    ("PostgreSQL", "postgres"),
    ("Redis", "redis-server"),
    ("Webdis", "webdis"),
    ("client", "order-api-bench"),
];

/// As Debian sets it up, but for the addresses and the log.
const WEBDIS: &str = r#"printf '{"redis_host": "127.0.0.1", "redis_port": %s, "http_host": "127.0.0.1", "http_port": %s, "threads": 2, %s}' "$1" "$2" \
    '"daemonize": false, "database": 0, "verbosity": 1, "logfile": "/dev/null"' >"$STACK_DIR/webdis.json"
    exec webdis "$STACK_DIR/webdis.json""#;

/// Another instance of this build, or of another one.
const SERVICE: &str = r#"export LISTEN=127.0.0.1:$2 LOG_DIR=$STACK_DIR/$2/logs ENVIRONMENT=test DISTANCE_PROVIDER=haversine
    mkdir -p "$LOG_DIR"
    ln -sfn "$(realpath "$1")" "$STACK_DIR/$2/order-api"
    export "$3"
    exec "$STACK_DIR/$2/order-api" serve >"$STACK_DIR/$2/log""#;

impl Stack {
    /// Finds the stack in the environment, and starts Webdis beside it.
    pub fn find() -> Result<Self> {
        let of = |name| env::var(name).map_err(|_| format!("{name} is not set: see make bench"));
        let mut stack = Self {
            service: of("UPSTREAMS")?,
            nginx: of("BASE_URL")?,
            webdis: String::new(),
            database: of("DATABASE_URL")?,
            redis: of("REDIS_URL")?.rsplit(':').next().unwrap_or_default().to_owned(),
            daemons: Vec::new(),
        };
        stack.webdis = stack.start(WEBDIS, &stack.redis.clone(), "")?;
        Ok(stack)
    }

    /// Another `order-api serve` on the same databases, but for one setting: its URL.
    pub fn serve(&mut self, build: &str, setting: &str) -> Result<String> {
        self.start(SERVICE, build, setting)
    }

    /// Starts what listens on the port that is its second argument.
    fn start(&mut self, script: &str, first: &str, last: &str) -> Result<String> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut daemon = spawn(script, &[first, &address.port().to_string(), last])?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            if daemon.0.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(format!("nothing listens on {address} that was started by: {script}").into());
            }
            sleep(Duration::from_millis(20));
        }
        self.daemons.push(daemon);
        Ok(format!("http://{address}"))
    }

    /// What PostgreSQL answers, its columns separated by `|`.
    pub fn sql(&self, statement: &str) -> Result<String> {
        shell(
            r#"psql -X -qAt -v ON_ERROR_STOP=1 -c "$1" "$2""#,
            &[statement, &self.database],
        )
    }

    /// Two numbers of one row.
    pub fn pair(&self, statement: &str) -> Result<[f64; 2]> {
        let row = numbers(self.sql(statement)?.split('|'))?;
        Ok(row.try_into().map_err(|_| "not two numbers")?)
    }

    pub fn queue_length(&self) -> Result<f64> {
        Ok(shell(r#"redis-cli -p "$1" LLEN message_queue"#, &[&self.redis])?.parse()?)
    }
}

/// Starts a script in a session of its own, as each server is: the kernel gives each session the same share of a busy
/// machine.
pub fn spawn(script: &str, arguments: &[&str]) -> Result<Daemon> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "setsid", "sh", "-euc", script, "sh"]);
    Ok(Daemon(command.args(arguments).spawn()?))
}

/// What a script prints, which must succeed.
pub fn shell(script: &str, arguments: &[&str]) -> Result<String> {
    // Debian's wrappers take longer than what they wrap.
    let script = &format!("PATH=$(printf %s: /usr/lib/postgresql/*/bin)$PATH:/usr/sbin\n{script}");
    let done = Command::new("sh")
        .args(["-euc", script, "sh"])
        .args(arguments)
        .output()?;
    if !done.status.success() {
        return Err(format!("{}\n{script}", String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(String::from_utf8(done.stdout)?.trim_end().to_owned())
}

pub fn numbers<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<f64>> {
    let parsed: std::result::Result<_, _> = words.map(str::parse).collect();
    Ok(parsed?)
}

/// The CPU time of each part so far in hundredths of a second, and last that of everything on the machine.
pub fn ticks() -> Result<Vec<f64>> {
    let mut ticks = vec![0.0; PARTS.len()];
    for process in fs::read_dir("/proc")?.flatten() {
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let (before, after) = stat.rsplit_once(") ").unwrap_or_default();
        let name = before.split_once('(').unwrap_or_default().1;
        // Its own, and that of its children that have ended.
        let times = after.split(' ').skip(11).take(4);
        let sum: f64 = times.filter_map(|time| time.parse::<f64>().ok()).sum();
        let parts = ticks.iter_mut().zip(PARTS);
        parts
            .filter(|(_, part)| part.1 == name)
            .for_each(|(ticks, _)| *ticks += sum);
    }
    let all = fs::read_to_string("/proc/stat")?;
    let times = numbers(all.split_whitespace().skip(1).take(8))?;
    let idle: f64 = times.iter().skip(3).take(2).sum();
    ticks.push(times.iter().sum::<f64>() - idle);
    Ok(ticks)
}

/// The whole answer to one request, with its head.
pub fn http(url: &str, request: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let length = body.len();
    let head = format!("{request} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {length}");
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
