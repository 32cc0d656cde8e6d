//! The operators' routes.

mod command_line;
mod healthcheck;
mod logs;
mod logs_in_trouble;
mod metrics;
mod postgres_away;
mod probe;
mod redis_in_trouble;
mod target_dir;
