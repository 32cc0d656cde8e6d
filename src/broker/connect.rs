//! Connects to the current primary.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, ProtocolVersion, PushInfo, RedisError,
    RedisResult, cmd,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::health::Trouble;
use crate::config::{RedisAddress, Sentinels};

/// The time limit of a connection, including the sentinels' answers.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(800);
/// The time limit of a sentinel; if one is silent, the others are enough.
const SENTINEL_TIMEOUT: Duration = Duration::from_millis(300);
/// How long a peer may leave sent data unacknowledged.
const PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("it did not answer in time")]
    TimedOut,
    #[error("it is a replica")]
    Replica,
}

impl ConnectError {
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Self::Redis(error) => Trouble::of(error),
            Self::TimedOut => Trouble::Down,
            Self::Replica => Trouble::ReadOnly,
        }
    }
}

/// A connection to a server that reports itself as a primary. Push messages of Redis go to `pushes`.
pub(super) async fn connect(
    address: &RedisAddress,
    pushes: mpsc::UnboundedSender<PushInfo>,
) -> Result<MultiplexedConnection, ConnectError> {
    let connected = async {
        let info = match address {
            RedisAddress::Server(info) => (**info).clone(),
            RedisAddress::Sentinels(sentinels) => ask_all(sentinels).await?,
        };
        let mut connection = client(info)?
            .get_multiplexed_async_connection_with_config(&config(Some(pushes)))
            .await?;
        // HELLO reports the role to every user; ROLE would require its own permission.
        let told: HashMap<String, redis::Value> = cmd("HELLO").query_async(&mut connection).await?;
        let primary = told.get("role") == Some(&redis::Value::BulkString(b"master".to_vec()));
        primary.then_some(connection).ok_or(ConnectError::Replica)
    };
    timeout(CONNECT_TIMEOUT, connected)
        .await
        .unwrap_or(Err(ConnectError::TimedOut))
}

/// With protocol version 3, the end of a connection is reported at once.
fn client(info: ConnectionInfo) -> RedisResult<Client> {
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let keepalive = TcpKeepalive::new()
        .with_time(PEER_TIMEOUT)
        .with_interval(PEER_TIMEOUT / 5);
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
        .set_user_timeout(PEER_TIMEOUT);
    Client::open(info.set_redis_settings(redis).set_tcp_settings(tcp))
}

/// The sender of a command watches its time limit.
fn config(pushes: Option<mpsc::UnboundedSender<PushInfo>>) -> AsyncConnectionConfig {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(None);
    match pushes {
        Some(pushes) => config.set_push_sender(pushes),
        None => config,
    }
}

/// The primary that most sentinels name: an isolated one may have missed a failover.
async fn ask_all(sentinels: &Sentinels) -> RedisResult<ConnectionInfo> {
    let ask = |sentinel: &ConnectionInfo| timeout(SENTINEL_TIMEOUT, ask(sentinel.clone(), &sentinels.name));
    let mut answers: FuturesUnordered<_> = sentinels.sentinels.iter().map(ask).collect();
    let mut votes: HashMap<(String, u16), usize> = HashMap::new();
    while let Some(answer) = answers.next().await {
        let Ok(Ok(Some(primary))) = answer else {
            continue;
        };
        let votes = votes.entry(primary).or_default();
        *votes += 1;
        if *votes > sentinels.sentinels.len() / 2 {
            break;
        }
    }
    let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
    let ((host, port), _) = most.ok_or((ErrorKind::Io, "no sentinel names a primary"))?;
    sentinels.primary(&host, port)
}

async fn ask(sentinel: ConnectionInfo, name: &str) -> RedisResult<Option<(String, u16)>> {
    let client = Client::open(sentinel)?;
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config(None))
        .await?;
    let mut ask = cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    ask.query_async(&mut connection).await
}
