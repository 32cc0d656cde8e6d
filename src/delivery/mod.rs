//! Messages in transit from Redis to clients: their total size, and whether the client got them.

mod answer;
mod budget;

pub use answer::{Delivered, respond};
pub use budget::{Budget, Share};
