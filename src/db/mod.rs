//! PostgreSQL: the pool of connections, the migrations, and the generated schema.

pub mod batch;
mod claim;
mod connect;
mod failure;
mod hosts;
mod kind;
mod manager;
pub(crate) mod metrics;
pub mod migrate;
mod pool;
mod profile;
mod race;
#[rustfmt::skip]
pub mod schema;
mod session;
pub mod sqlstate;

pub use pool::Database;
pub use profile::Profile;
