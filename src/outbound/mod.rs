//! HTTP to others: a deadline, a limit on the calls at once, and a circuit breaker.

mod breaker;
mod client;

pub use client::{Answer, Client, Failure};
