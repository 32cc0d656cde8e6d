//! `/api/queue`, and `/api/queues`.

mod durability;
mod failover;
mod hangup;
mod memory;
mod plain;
mod reliable;
