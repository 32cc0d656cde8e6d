//! One connection to Redis that all requests share; it pipelines by itself, and is made again when it is lost.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    Arg, Cmd, ErrorKind, FromRedisValue, Pipeline, PushInfo, PushKind, RedisError, RedisResult,
    ServerErrorKind, Value, cmd,
};
use rocket::tokio;
use rocket::tokio::sync::{Notify, mpsc, watch};
use rocket::tokio::time::{Instant, sleep, timeout, timeout_at};
use secrecy::ExposeSecret;

use super::connect::connect;
use super::health::{PROBE, Trouble};
use super::script::Call;
use super::{BrokerError, Patience};
use crate::config::{self, RedisAddress};
use crate::telemetry::metrics::METRICS;

/// Between two tries to connect: from the first to the last, doubled at each.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// How long a write may wait for its replicas: milliseconds, less than a command may take.
const WAIT_MS: usize = 500;
/// How long after its time an answer may come and still be of use.
const LATE: Duration = Duration::from_secs(60);
/// The command that calls a script.
const EVALSHA: &str = "EVALSHA";

/// Redis, as handlers use it.
#[derive(Clone)]
pub struct Broker {
    current: watch::Receiver<Result<Connected, Trouble>>,
    /// Replicas that have to have a write before it counts.
    replicas: usize,
}

#[derive(Clone)]
struct Connected {
    connection: MultiplexedConnection,
    /// Told when a command found this very connection of no use: the next one may be well.
    broken: Arc<Notify>,
}

/// `REDIS_URL` is not an address of Redis.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL is not an address of Redis")]
pub struct NotAnAddress;

impl Broker {
    /// Begins to connect, in a task of its own: the service starts, and recovers, without Redis.
    ///
    /// # Errors
    /// The URL is not one of Redis.
    pub fn new(config: &config::Redis) -> Result<Self, NotAnAddress> {
        let address = RedisAddress::parse(config.url.expose_secret()).ok_or(NotAnAddress)?;
        let (sender, current) = watch::channel(Err(Trouble::Down));
        tokio::spawn(stay_connected(address, sender));
        Ok(Self {
            current,
            replicas: config.wait_replicas,
        })
    }

    /// Runs a command that changes nothing.
    ///
    /// # Errors
    /// Redis cannot be reached or refuses.
    pub async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BrokerError> {
        let asking = self.ask(name(Some(command)), Patience::usual()).await?;
        let mut connection = asking.with.connection.clone();
        let answer = asking.within(connection.send_packed_command(command)).await;
        let answer = asking.finish(answer.and_then(Value::extract_error));
        answer
            .and_then(parse)
            .map_err(|error| BrokerError::after_read(&error))
    }

    /// Runs a command that adds something, and waits for the replicas that have to have it.
    ///
    /// # Errors
    /// Redis cannot be reached or refuses, or nobody knows whether it was done, or too few replicas have it.
    pub async fn write<T: FromRedisValue>(&self, command: Cmd, patience: Patience) -> Result<T, BrokerError> {
        let commands = pipeline(None, command, self.replicas);
        let asking = self.ask(name(commands.cmd_iter().next()), patience).await?;
        let answers = asking.send(&commands).await;
        self.written(asking.finish(answers.and_then(|answers| split(answers, 0))))
    }

    /// Runs a script that adds something, and waits for the replicas that have to have it.
    ///
    /// # Errors
    /// As [`Broker::write`].
    pub async fn add<T: FromRedisValue>(&self, call: Call<'_>, patience: Patience) -> Result<T, BrokerError> {
        let asking = self.ask(EVALSHA, patience).await?;
        let answers = asking.call(call, self.replicas).await;
        self.written(asking.finish(answers))
    }

    /// Runs a script that moves or removes something. It does not wait for replicas: if one without it is promoted,
    /// a message is there again, and not gone.
    ///
    /// # Errors
    /// Redis cannot be reached or refuses, or nobody knows whether it was done.
    pub async fn run<T: FromRedisValue>(&self, call: Call<'_>, patience: Patience) -> Result<T, BrokerError> {
        let asking = self.ask(EVALSHA, patience).await?;
        let answers = asking.call(call, 0).await;
        self.written(asking.finish(answers))
    }

    /// As [`Broker::run`]; an answer that comes when the time is up goes to `late`, unless its connection has ended.
    ///
    /// # Errors
    /// As [`Broker::run`].
    pub async fn run_or_later<T: FromRedisValue + 'static>(
        &self,
        call: Call<'static>,
        patience: Patience,
        late: impl FnOnce(T) + Send + 'static,
    ) -> Result<T, BrokerError> {
        let asking = self.ask(EVALSHA, patience).await?;
        let mut answer = Box::pin(exchange(asking.with.connection.clone(), call, 0));
        let answers = match timeout_at(asking.answer_by, &mut answer).await {
            Ok(answers) => answers,
            Err(_) => {
                tokio::spawn(wait_longer(answer, late));
                Err(time_is_up())
            }
        };
        self.written(asking.finish(answers))
    }

    /// Runs a script that may always be run again, whether it was carried out or not.
    ///
    /// # Errors
    /// As [`Broker::read`].
    pub async fn look<T: FromRedisValue>(
        &self,
        call: Call<'_>,
        patience: Patience,
    ) -> Result<T, BrokerError> {
        let asking = self.ask(EVALSHA, patience).await?;
        let answers = asking.call(call, 0).await;
        let answer = asking.finish(answers).and_then(|(answer, _)| parse(answer));
        answer.map_err(|error| BrokerError::after_read(&error))
    }

    /// Why Redis takes no writes, if it takes none.
    pub async fn trouble(&self) -> Option<Trouble> {
        let patience = Patience::short();
        let asking = match self.connected(patience).await {
            Ok(with) => Asking::new(EVALSHA, with, patience),
            Err(trouble) => return Some(trouble),
        };
        match asking.call(PROBE.on::<&str>(&[]), 0).await {
            // A check has less patience than a request: it gives up no connection that others may be content with.
            Err(error) if error.is_timeout() => Some(Trouble::Down),
            answers => asking.finish(answers).err().map(|error| Trouble::of(&error)),
        }
    }

    /// The answer, once as many replicas as it takes have what was written.
    fn written<T: FromRedisValue>(&self, answers: RedisResult<Answers>) -> Result<T, BrokerError> {
        let (answer, waited) = answers.map_err(|error| BrokerError::after_write(&error))?;
        let enough = |waited: &Value| match waited {
            Value::Int(replicas) => usize::try_from(*replicas).is_ok_and(|had| had >= self.replicas),
            _ => false,
        };
        match waited {
            Some(waited) if !enough(&waited) => Err(BrokerError::OutcomeUnknown(format!(
                "fewer than {} replicas have it: {waited:?}",
                self.replicas
            ))),
            _ => parse(answer).map_err(|error| BrokerError::after_write(&error)),
        }
    }

    async fn ask<'c>(&self, command: &'c str, patience: Patience) -> Result<Asking<'c>, BrokerError> {
        let connected = self.connected(patience).await;
        let with = connected.map_err(|trouble| {
            METRICS.redis_errors.with_label_values(&[command]).inc();
            BrokerError::Unavailable(format!("there is no connection to Redis: {}", trouble.word()))
        })?;
        Ok(Asking::new(command, with, patience))
    }

    async fn connected(&self, patience: Patience) -> Result<Connected, Trouble> {
        let mut current = self.current.clone();
        let connected = timeout_at(patience.begin_by, current.wait_for(Result::is_ok)).await;
        match connected {
            Ok(Ok(connected)) => connected.clone(),
            _ => self.current.borrow().clone(),
        }
    }
}

/// What a command was answered, and WAIT if there was one.
type Answers = (Value, Option<Value>);

/// Commands under way.
struct Asking<'c> {
    command: &'c str,
    with: Connected,
    since: Instant,
    answer_by: Instant,
}

impl<'c> Asking<'c> {
    fn new(command: &'c str, with: Connected, patience: Patience) -> Self {
        let since = Instant::now();
        let answer_by = patience.answer_by(since);
        Self {
            command,
            with,
            since,
            answer_by,
        }
    }

    async fn send(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let mut connection = self.with.connection.clone();
        self.within(connection.send_packed_commands(commands, 0, commands.len()))
            .await
    }

    async fn call(&self, call: Call<'_>, replicas: usize) -> RedisResult<Answers> {
        self.within(exchange(self.with.connection.clone(), call, replicas))
            .await
    }

    async fn within<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        let answer = timeout_at(self.answer_by, answer).await;
        answer.unwrap_or_else(|_| Err(time_is_up()))
    }

    fn finish<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        let labels = [self.command];
        METRICS
            .redis_commands
            .with_label_values(&labels)
            .observe(self.since.elapsed().as_secs_f64());
        answer.inspect_err(|error| {
            METRICS.redis_errors.with_label_values(&labels).inc();
            if is_of_no_use(error) {
                self.with.broken.notify_one();
            }
        })
    }
}

/// Calls a script. One that Redis does not know (any more) is loaded and called again.
async fn exchange(
    mut connection: MultiplexedConnection,
    call: Call<'_>,
    replicas: usize,
) -> RedisResult<Answers> {
    let answer_at = usize::from(call.first.is_some());
    let commands = pipeline(call.first, call.command, replicas);
    let length = commands.len();
    let answers = connection.send_packed_commands(&commands, 0, length).await?;
    match split(answers, answer_at) {
        Err(error) if is_unknown_script(&error) => {}
        answers => return answers,
    }
    let loaded = connection.send_packed_command(&call.script.load()).await?;
    loaded.extract_error()?;
    let answers = connection.send_packed_commands(&commands, 0, length).await?;
    split(answers, answer_at)
}

/// The commands, and a WAIT for so many replicas if there are to be any.
fn pipeline(first: Option<Cmd>, command: Cmd, replicas: usize) -> Pipeline {
    let mut commands = Pipeline::with_capacity(3);
    if let Some(first) = first {
        commands.add_command(first);
    }
    commands.add_command(command);
    if replicas > 0 {
        let mut wait = cmd("WAIT");
        wait.arg(replicas).arg(WAIT_MS);
        commands.add_command(wait);
    }
    commands
}

/// After time that is up the peer may be gone without a word; one that has become a replica takes no write ever.
fn is_of_no_use(error: &RedisError) -> bool {
    let demoted = matches!(error.code(), Some("READONLY" | "MASTERDOWN"));
    demoted || error.is_unrecoverable_error() || error.is_timeout()
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn time_is_up() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// For an answer that nobody counts on any more. It holds its connection, which nobody else uses by then.
async fn wait_longer<T: FromRedisValue>(
    answer: impl Future<Output = RedisResult<Answers>>,
    late: impl FnOnce(T),
) {
    let Ok(Ok((answer, _))) = timeout(LATE, answer).await else {
        return;
    };
    if let Ok(answer) = parse(answer) {
        late(answer);
    }
}

/// The answer at this place, and the one that follows.
fn split(answers: Vec<Value>, at: usize) -> RedisResult<Answers> {
    let mut answers = answers.into_iter().skip(at);
    let answer = answers.next().unwrap_or(Value::Nil).extract_error()?;
    Ok((answer, answers.next()))
}

fn parse<T: FromRedisValue>(answer: Value) -> RedisResult<T> {
    Ok(T::from_redis_value(answer)?)
}

/// The first word of a command.
fn name(command: Option<&Cmd>) -> &str {
    match command.and_then(|command| command.args_iter().next()) {
        Some(Arg::Simple(word)) => str::from_utf8(word).unwrap_or("unknown"),
        _ => "unknown",
    }
}

async fn stay_connected(address: RedisAddress, current: watch::Sender<Result<Connected, Trouble>>) {
    let (shortest, longest) = BACKOFF;
    let mut pause = shortest;
    loop {
        let began = Instant::now();
        let (pushes, mut pushed) = mpsc::unbounded_channel();
        match connect(&address, pushes).await {
            Ok(connection) => {
                let broken = Arc::new(Notify::new());
                let connected = Connected {
                    connection,
                    broken: Arc::clone(&broken),
                };
                let _ = current.send_replace(Ok(connected));
                wait_for_the_end(&mut pushed, &broken).await;
                let _ = current.send_replace(Err(Trouble::Down));
                tracing::warn!("the connection to Redis is lost, or of no use");
            }
            Err(error) => {
                let _ = current.send_replace(Err(error.trouble()));
                tracing::error!(%error, "no connection to Redis");
            }
        }
        // One that held for a while was well: the next try is at once again.
        pause = if began.elapsed() > longest {
            shortest
        } else {
            (pause * 2).min(longest)
        };
        sleep(pause).await;
    }
}

async fn wait_for_the_end(pushed: &mut mpsc::UnboundedReceiver<PushInfo>, broken: &Notify) {
    let disconnected = async {
        while let Some(push) = pushed.recv().await {
            if push.kind == PushKind::Disconnection {
                return;
            }
        }
    };
    tokio::select! {
        () = disconnected => {}
        () = broken.notified() => {}
    }
}
