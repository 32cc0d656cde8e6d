//! PostgreSQL: the pool of connections, the migrations, the schema that they make.

pub mod batch;
mod claim;
mod connect;
mod failure;
mod manager;
pub(crate) mod metrics;
pub mod migrate;
mod pool;
mod race;
#[rustfmt::skip]
pub mod schema;
mod session;
pub mod sqlstate;

pub use pool::Database;
