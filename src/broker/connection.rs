//! Redis for the handlers: over one connection, which all requests share and pipeline on.

use redis::{Cmd, FromRedisValue, RedisResult, Value};
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::Patience;
use super::exchange::{Answers, Asking, exchange, name, parse, pipeline, split, time_is_up, wait_longer};
use super::failure::{after_read, after_write, outcome_unknown};
use super::health::{PROBE, Trouble};
use super::keeper::{Connected, stay_connected};
use super::metrics::METRICS;
use super::script::Call;
use crate::config::{self, RedisAddress};
use crate::failure::{Backend, Failure};

/// The command that calls a script.
const EVALSHA: &str = "EVALSHA";

/// Redis for the handlers.
#[derive(Clone)]
pub struct Broker {
    current: watch::Receiver<Result<Connected, Trouble>>,
    /// The number of replicas that must confirm a write.
    replicas: usize,
}

/// `REDIS_URL` is not an address of Redis.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL is not an address of Redis")]
pub struct NotAnAddress;

impl Broker {
    /// Starts to connect in a background task: the service starts, and recovers, without Redis.
    ///
    /// # Errors
    /// The URL is not a Redis URL.
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
    /// Redis is unreachable or refuses.
    pub async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        let asking = self.ask(name(Some(command)), Patience::usual()).await?;
        let mut connection = asking.with.connection.clone();
        let answer = asking.within(connection.send_packed_command(command)).await;
        let answer = asking.finish(answer.and_then(Value::extract_error));
        answer.and_then(parse).map_err(|error| after_read(&error))
    }

    /// Runs a command that adds data, and waits for the required replicas.
    ///
    /// # Errors
    /// Redis is unreachable or refuses, the outcome is unknown, or too few replicas have confirmed it.
    pub async fn write<T: FromRedisValue>(&self, command: Cmd, patience: Patience) -> Result<T, Failure> {
        let commands = pipeline(None, command, self.replicas);
        let asking = self.ask(name(commands.cmd_iter().next()), patience).await?;
        let answers = asking.send(&commands).await;
        self.written(asking.finish(answers.and_then(|answers| split(answers, 0))))
    }

    /// Runs a script that adds data, and waits for the required replicas.
    ///
    /// # Errors
    /// As [`Broker::write`].
    pub async fn add<T: FromRedisValue>(&self, call: Call<'_>, patience: Patience) -> Result<T, Failure> {
        let asking = self.ask(EVALSHA, patience).await?;
        let answers = asking.call(call, self.replicas).await;
        self.written(asking.finish(answers))
    }

    /// Runs a script that moves or removes data. It does not wait for replicas: if a failover loses it, a message is
    /// delivered again, and not lost.
    ///
    /// # Errors
    /// Redis is unreachable or refuses, or the outcome is unknown.
    pub async fn run<T: FromRedisValue>(&self, call: Call<'_>, patience: Patience) -> Result<T, Failure> {
        let asking = self.ask(EVALSHA, patience).await?;
        let answers = asking.call(call, 0).await;
        self.written(asking.finish(answers))
    }

    /// As [`Broker::run`]; an answer that arrives too late goes to `late`, unless its connection was closed.
    ///
    /// # Errors
    /// As [`Broker::run`].
    pub async fn run_or_later<T: FromRedisValue + 'static>(
        &self,
        call: Call<'static>,
        patience: Patience,
        late: impl FnOnce(T) + Send + 'static,
    ) -> Result<T, Failure> {
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

    /// Runs an idempotent script, which can always be retried.
    ///
    /// # Errors
    /// As [`Broker::read`].
    pub async fn look<T: FromRedisValue>(&self, call: Call<'_>, patience: Patience) -> Result<T, Failure> {
        let asking = self.ask(EVALSHA, patience).await?;
        let answers = asking.call(call, 0).await;
        let answer = asking.finish(answers).and_then(|(answer, _)| parse(answer));
        answer.map_err(|error| after_read(&error))
    }

    /// Why Redis does not accept writes, if it does not.
    pub async fn trouble(&self) -> Option<Trouble> {
        let patience = Patience::short();
        let asking = match self.connected(patience).await {
            Ok(with) => Asking::new(EVALSHA, with, patience),
            Err(trouble) => return Some(trouble),
        };
        match asking.call(PROBE.on::<&str>(&[]), 0).await {
            // A check has a shorter timeout than a request, so its timeout does not replace the shared connection.
            Err(error) if error.is_timeout() => Some(Trouble::Down),
            answers => asking.finish(answers).err().map(|error| Trouble::of(&error)),
        }
    }

    /// The answer, once the required replicas have confirmed the write.
    fn written<T: FromRedisValue>(&self, answers: RedisResult<Answers>) -> Result<T, Failure> {
        let (answer, waited) = answers.map_err(|error| after_write(&error))?;
        let enough = |waited: &Value| match waited {
            Value::Int(replicas) => usize::try_from(*replicas).is_ok_and(|had| had >= self.replicas),
            _ => false,
        };
        match waited {
            Some(waited) if !enough(&waited) => Err(outcome_unknown(format!(
                "fewer than {} replicas have it: {waited:?}",
                self.replicas
            ))),
            _ => parse(answer).map_err(|error| after_write(&error)),
        }
    }

    async fn ask<'c>(&self, command: &'c str, patience: Patience) -> Result<Asking<'c>, Failure> {
        let connected = self.connected(patience).await;
        let with = connected.map_err(|trouble| {
            METRICS.errors.with_label_values(&[command]).inc();
            Failure::Unavailable(
                Backend::Redis,
                format!("there is no connection to Redis: {}", trouble.word()),
            )
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
