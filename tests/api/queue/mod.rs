//! `/api/queue`.

mod durability;
mod plain;
