//! Messages on their way from Redis to clients: how many bytes at once, and whether the client got them.

mod answer;
mod budget;

pub use answer::{Delivered, respond};
pub use budget::{Budget, Share};
