//! `/api/queue`, and `/api/queues`.

mod plain;
mod reliable;
