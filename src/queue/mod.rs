//! Messages, first in, first out: one plain queue, and any number of reliable ones.

mod budget;
mod delivery;
mod reliable;
mod routes;
mod store;
mod taken;

pub use routes::stage;
