//! PostgreSQL: the pool of connections, the migrations, the schema that they make.

pub mod batch;
mod error;
pub mod migrate;
mod pool;
#[rustfmt::skip]
pub mod schema;
pub mod sqlstate;

pub use error::DatabaseError;
pub use pool::Database;
