//! The one plain queue, a Redis list: `RPUSH` adds at its end, `LPOP` removes at its head, at once and for good.

use redis::cmd;

use crate::broker::{Broker, BrokerError, keys};
use crate::telemetry::metrics::METRICS;

/// Adds a message at the end.
///
/// # Errors
/// As [`Broker::write`].
pub async fn push(broker: &Broker, message: &str) -> Result<(), BrokerError> {
    broker
        .write::<()>(cmd("RPUSH").arg(keys::MESSAGE_QUEUE).arg(message))
        .await?;
    METRICS.queue_pushes.inc();
    Ok(())
}

/// Removes the oldest message, if there is one.
///
/// # Errors
/// As [`Broker::write`].
pub async fn pop(broker: &Broker) -> Result<Option<String>, BrokerError> {
    let message: Option<String> = broker.write(cmd("LPOP").arg(keys::MESSAGE_QUEUE)).await?;
    let outcome = if message.is_some() { "message" } else { "empty" };
    METRICS.queue_pops.with_label_values(&[outcome]).inc();
    Ok(message)
}

/// How many messages there are.
///
/// # Errors
/// As [`Broker::read`].
pub async fn count(broker: &Broker) -> Result<u64, BrokerError> {
    broker.read(cmd("LLEN").arg(keys::MESSAGE_QUEUE)).await
}
