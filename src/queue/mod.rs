//! Messages, first in, first out: one plain queue, and any number of reliable ones.

mod reliable;
mod routes;
mod store;

pub use routes::stage;
