//! `/api/queue`, and `/api/queues`.

mod durability;
mod plain;
mod reliable;
