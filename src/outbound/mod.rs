//! Outgoing HTTP: a deadline, a concurrency limit, and a circuit breaker.

mod breaker;
mod client;

pub use client::{Answer, Client, Failure};
