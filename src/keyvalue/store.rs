//! Keys and values in Redis, under their own prefix.

use std::sync::LazyLock;

use redis::cmd;

use super::keys;
use super::model::Entry;
use crate::broker::{Broker, Patience, Script};
use crate::failure::Failure;

static SET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/set.lua")));

/// Whether the key existed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    New,
    Replaced,
}

/// Stores a value, replacing an existing one.
pub(super) async fn set(broker: &Broker, entry: &Entry) -> Result<Stored, Failure> {
    let mut call = SET.on(&[keys::value(&entry.key)]);
    call.arg(&entry.value);
    let existed: bool = broker.add(call, Patience::usual()).await?;
    Ok(if existed { Stored::Replaced } else { Stored::New })
}

/// The value of a key, if it exists.
pub(super) async fn get(broker: &Broker, key: &str) -> Result<Option<String>, Failure> {
    broker.read(cmd("GET").arg(keys::value(key))).await
}
