//! Commands sent to Redis, and their answers.

use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    Arg, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind, Value, cmd,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::Patience;
use super::keeper::Connected;
use super::metrics::METRICS;
use super::script::Call;

/// How long a write may wait for its replicas, in milliseconds; less than a command may take.
const WAIT_MS: usize = 500;
/// How long after its time limit an answer may still be useful.
const LATE: Duration = Duration::from_secs(60);

/// The answer to a command, and to its WAIT if there was one.
pub(super) type Answers = (Value, Option<Value>);

/// Commands in flight.
pub(super) struct Asking<'c> {
    command: &'c str,
    pub(super) with: Connected,
    since: Instant,
    pub(super) answer_by: Instant,
}

impl<'c> Asking<'c> {
    pub(super) fn new(command: &'c str, with: Connected, patience: Patience) -> Self {
        let since = Instant::now();
        let answer_by = patience.answer_by(since);
        Self {
            command,
            with,
            since,
            answer_by,
        }
    }

    pub(super) async fn send(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let mut connection = self.with.connection.clone();
        self.within(connection.send_packed_commands(commands, 0, commands.len()))
            .await
    }

    pub(super) async fn call(&self, call: Call<'_>, replicas: usize) -> RedisResult<Answers> {
        self.within(exchange(self.with.connection.clone(), call, replicas))
            .await
    }

    pub(super) async fn within<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        let answer = timeout_at(self.answer_by, answer).await;
        answer.unwrap_or_else(|_| Err(time_is_up()))
    }

    pub(super) fn finish<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        let labels = [self.command];
        METRICS
            .commands
            .with_label_values(&labels)
            .observe(self.since.elapsed().as_secs_f64());
        answer.inspect_err(|error| {
            METRICS.errors.with_label_values(&labels).inc();
            if is_of_no_use(error) {
                self.with.broken.notify_one();
            }
        })
    }
}

/// Calls a script. One that Redis does not know (any more) is loaded and called again.
pub(super) async fn exchange(
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

/// The commands, and a WAIT for this many replicas, if any.
pub(super) fn pipeline(first: Option<Cmd>, command: Cmd, replicas: usize) -> Pipeline {
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

/// After a timeout the peer may have vanished silently; a server that has become a replica never accepts a write.
fn is_of_no_use(error: &RedisError) -> bool {
    let demoted = matches!(error.code(), Some("READONLY" | "MASTERDOWN"));
    demoted || error.is_unrecoverable_error() || error.is_timeout()
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

pub(super) fn time_is_up() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// Waits for an answer that came too late for its request. It holds its connection, which is out of use by then.
pub(super) async fn wait_longer<T: FromRedisValue>(
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

/// The answer at this index, and the next one.
pub(super) fn split(answers: Vec<Value>, at: usize) -> RedisResult<Answers> {
    let mut answers = answers.into_iter().skip(at);
    let answer = answers.next().unwrap_or(Value::Nil).extract_error()?;
    Ok((answer, answers.next()))
}

pub(super) fn parse<T: FromRedisValue>(answer: Value) -> RedisResult<T> {
    Ok(T::from_redis_value(answer)?)
}

/// The name of a command.
pub(super) fn name(command: Option<&Cmd>) -> &str {
    match command.and_then(|command| command.args_iter().next()) {
        Some(Arg::Simple(word)) => str::from_utf8(word).unwrap_or("unknown"),
        _ => "unknown",
    }
}
