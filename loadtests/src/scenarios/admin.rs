//! An admin lists the newest orders, and old ones.

use std::sync::Arc;

use goose::prelude::*;
use rand::Rng;
use reqwest::StatusCode;

use crate::exchange::Exchange;
use crate::harness::{Harness, step};
use crate::orders::Order;

/// Orders per page.
const LIMIT: usize = 20;

/// The first page, then a deep one.
pub fn scenario(harness: &Arc<Harness>) -> Scenario {
    Scenario::new("Admin").register_transaction(step!(harness, list).set_name("list orders"))
}

async fn list(user: &mut GooseUser, _harness: &Harness) -> TransactionResult {
    let exchange = Exchange::get(user, &format!("/orders?page=1&limit={LIMIT}")).await;
    let first = page(&exchange, LIMIT);
    exchange.record(user, "/orders?page=1", &first).await?;
    let Some(newest) = first.ok().and_then(|orders| orders.first().map(|order| order.id)) else {
        return Ok(());
    };
    let pages = newest / LIMIT as u64 + 1;
    let deep = rand::rng().random_range(1..=pages);
    let exchange = Exchange::get(user, &format!("/orders?page={deep}&limit={LIMIT}")).await;
    let orders = page(&exchange, LIMIT);
    exchange.record(user, "/orders?page=:deep", &orders).await
}

/// The orders of a page, newest first.
///
/// # Errors
/// The actual answer.
pub fn page(exchange: &Exchange, limit: usize) -> Result<Vec<Order>, String> {
    let orders: Vec<Order> = exchange.body(StatusCode::OK)?;
    if orders.len() > limit {
        return Err(format!("{} orders on a page of {limit}", orders.len()));
    }
    if !orders.is_sorted_by(|newer, older| newer.id > older.id) {
        return Err("the page is not newest first".to_owned());
    }
    orders.into_iter().map(Order::checked).collect()
}
