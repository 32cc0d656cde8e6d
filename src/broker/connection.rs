//! One connection to Redis that all requests share; it pipelines by itself, and is made again when it is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{
    Arg, AsyncConnectionConfig, Client, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, Pipeline,
    ProtocolVersion, PushInfo, PushKind, RedisError, RedisResult, ScriptInvocation,
};
use rocket::tokio;
use rocket::tokio::sync::{Notify, mpsc, watch};
use rocket::tokio::time::{sleep, timeout};
use secrecy::ExposeSecret;

use super::BrokerError;
use crate::config;
use crate::telemetry::metrics::METRICS;

/// How long a request waits for a connection, and how long making one may take.
const CONNECTION_WAIT: Duration = Duration::from_millis(800);
/// How long a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two tries to connect: from the first to the last, doubled at each.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Redis, as handlers use it.
#[derive(Clone)]
pub struct Broker(watch::Receiver<Option<Connected>>);

#[derive(Clone)]
struct Connected {
    connection: MultiplexedConnection,
    /// Told when a command found this very connection broken: the next one may be well.
    broken: Arc<Notify>,
}

impl Broker {
    /// Begins to connect, in a task of its own: the service starts, and recovers, without Redis.
    ///
    /// # Errors
    /// The URL is no Redis URL.
    pub fn new(config: &config::Redis) -> RedisResult<Self> {
        let info = config.url.expose_secret().into_connection_info()?;
        let (sender, current) = watch::channel(None);
        tokio::spawn(stay_connected(client(info)?, sender));
        Ok(Self(current))
    }

    /// Runs a command that changes nothing.
    ///
    /// # Errors
    /// Redis cannot be reached or refuses.
    pub async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BrokerError> {
        let mut asking = self.ask(name(command)).await?;
        let answer = command.query_async(&mut asking.with.connection).await;
        asking.finish(answer, BrokerError::after_read)
    }

    /// Runs a command that changes something.
    ///
    /// # Errors
    /// Redis cannot be reached or refuses, or nobody knows whether it was done.
    pub async fn write<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BrokerError> {
        let mut asking = self.ask(name(command)).await?;
        let answer = command.query_async(&mut asking.with.connection).await;
        asking.finish(answer, BrokerError::after_write)
    }

    /// Runs several commands in one round trip, some of which change something.
    ///
    /// # Errors
    /// As [`Broker::write`].
    pub async fn write_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, BrokerError> {
        let mut asking = self.ask("MULTI").await?;
        let answer = commands.query_async(&mut asking.with.connection).await;
        asking.finish(answer, BrokerError::after_write)
    }

    /// Runs a script, which Redis keeps from the first time on.
    ///
    /// # Errors
    /// As [`Broker::write`].
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, BrokerError> {
        let mut asking = self.ask("EVALSHA").await?;
        let answer = script.invoke_async(&mut asking.with.connection).await;
        asking.finish(answer, BrokerError::after_write)
    }

    async fn ask<'c>(&self, command: &'c str) -> Result<Asking<'c>, BrokerError> {
        let mut current = self.0.clone();
        let connected = timeout(CONNECTION_WAIT, current.wait_for(Option::is_some)).await;
        let with = match connected {
            Ok(Ok(connected)) => connected.clone(),
            _ => None,
        };
        let Some(with) = with else {
            METRICS.redis_errors.with_label_values(&[command]).inc();
            return Err(BrokerError::Unavailable(
                "there is no connection to Redis".to_owned(),
            ));
        };
        Ok(Asking {
            command,
            with,
            since: Instant::now(),
        })
    }
}

/// A command under way.
struct Asking<'c> {
    command: &'c str,
    with: Connected,
    since: Instant,
}

impl Asking<'_> {
    fn finish<T>(
        &self,
        answer: RedisResult<T>,
        classify: fn(&RedisError) -> BrokerError,
    ) -> Result<T, BrokerError> {
        let labels = [self.command];
        METRICS
            .redis_commands
            .with_label_values(&labels)
            .observe(self.since.elapsed().as_secs_f64());
        answer.map_err(|error| {
            METRICS.redis_errors.with_label_values(&labels).inc();
            // Time that is up is a sign of a peer that is gone without a word.
            if error.is_unrecoverable_error() || error.is_timeout() {
                self.with.broken.notify_one();
            }
            classify(&error)
        })
    }
}

/// The first word of a command.
fn name(command: &Cmd) -> &str {
    match command.args_iter().next() {
        Some(Arg::Simple(word)) => str::from_utf8(word).unwrap_or("unknown"),
        _ => "unknown",
    }
}

/// With version 3 of the protocol, the end of a connection is told as soon as it is seen.
fn client(info: ConnectionInfo) -> RedisResult<Client> {
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(redis))
}

async fn stay_connected(client: Client, current: watch::Sender<Option<Connected>>) {
    let (shortest, longest) = BACKOFF;
    let mut pause = shortest;
    loop {
        let began = Instant::now();
        let (pushes, mut pushed) = mpsc::unbounded_channel();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTION_WAIT))
            .set_response_timeout(Some(COMMAND_TIMEOUT))
            .set_push_sender(pushes);
        match client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                let broken = Arc::new(Notify::new());
                let connected = Connected {
                    connection,
                    broken: Arc::clone(&broken),
                };
                current.send_replace(Some(connected));
                wait_for_the_end(&mut pushed, &broken).await;
                current.send_replace(None);
                tracing::warn!("the connection to Redis is lost");
            }
            Err(error) => tracing::error!(%error, "no connection to Redis"),
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
