//! `order-api`: delivery orders are placed, taken by exactly one courier each, and listed.
//!
//! The map of this tree; arrows point from who uses to who is used:
//!
//! ```text
//! main → cli → app → orders, queue, queues, keyvalue, ops → http, delivery
//!   → db, broker, outbound → lane → telemetry → config, failure → error
//! ```
//!
//! A line that speaks HTTP lives in its feature's `routes.rs`, one that speaks SQL in its `store.rs`,
//! one that decides in its `model.rs`; each declares its own refusals, metrics and keys. Nothing shared imports a
//! feature, and no feature another.

mod app;
mod broker;
pub mod cli;
pub mod config;
pub mod db;
mod delivery;
mod error;
pub mod failure;
mod http;
mod keyvalue;
pub mod lane;
mod ops;
mod orders;
mod outbound;
mod queue;
mod queues;
mod telemetry;
