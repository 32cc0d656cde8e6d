//! A customer places orders.

use std::sync::Arc;

use goose::prelude::*;

use crate::exchange::Exchange;
use crate::harness::{Harness, step};
use crate::orders::{ORDERS, placed, trip};

/// One order after another.
pub fn scenario(harness: &Arc<Harness>) -> Scenario {
    Scenario::new("Customer").register_transaction(step!(harness, place).set_name("place an order"))
}

async fn place(user: &mut GooseUser, harness: &Harness) -> TransactionResult {
    let exchange = Exchange::post(user, ORDERS, None, trip()).await;
    let order = placed(&exchange);
    if let Ok(order) = &order {
        harness.ledger.note(&exchange, "placed", order.id);
    }
    exchange.record(user, ORDERS, &order).await
}
