//! `/api/queue`.

mod plain;
