//! The operators' paths, and what they watch for.

mod command_line;
mod healthcheck;
mod metrics;
mod postgres_away;
