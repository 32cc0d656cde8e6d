//! How the service tells what it does.

pub mod logs;
mod panics;
