//! `/api/queue`, and `/api/queues`.

mod durability;
mod failover;
mod memory;
mod plain;
mod reliable;
