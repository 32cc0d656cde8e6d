//! Keys and values in Redis, under a prefix of their own.

use redis::{cmd, pipe};

use super::model::Entry;
use crate::broker::{Broker, BrokerError, keys};

/// Whether the key was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    New,
    Replaced,
}

/// Keeps a value, in place of the one that was there.
pub(super) async fn set(broker: &Broker, entry: &Entry) -> Result<Stored, BrokerError> {
    let key = keys::key_value(&entry.key);
    let mut commands = pipe();
    commands.atomic().exists(&key).set(&key, &entry.value).ignore();
    let (existed,): (bool,) = broker.write_all(&commands).await?;
    Ok(if existed { Stored::Replaced } else { Stored::New })
}

/// The value under a key, if there is one.
pub(super) async fn get(broker: &Broker, key: &str) -> Result<Option<String>, BrokerError> {
    broker.read(cmd("GET").arg(keys::key_value(key))).await
}
