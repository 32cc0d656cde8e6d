//! `/api/queue`.

mod durability;
mod failover;
mod hangup;
mod memory;
mod plain;
