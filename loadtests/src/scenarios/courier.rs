//! A courier looks at the list and takes an order of its own choice.

use std::sync::Arc;

use goose::prelude::*;
use rand::seq::IteratorRandom;

use super::admin::page;
use crate::exchange::Exchange;
use crate::harness::{Harness, step};
use crate::orders::{ORDER, ORDER_LOST, Order, TAKE, Take, take};

/// Orders per page.
const LIMIT: usize = 100;

/// Look, choose, take.
pub fn scenario(harness: &Arc<Harness>) -> Scenario {
    Scenario::new("Courier").register_transaction(step!(harness, choose_and_take).set_name("take an order"))
}

async fn choose_and_take(user: &mut GooseUser, harness: &Harness) -> TransactionResult {
    let exchange = Exchange::get(user, &format!("/orders?page=1&limit={LIMIT}")).await;
    let orders = page(&exchange, LIMIT);
    exchange.record(user, "/orders?page=1", &orders).await?;
    let free = orders.into_iter().flatten().filter(Order::is_free);
    let Some(Order { id, .. }) = free.choose(&mut rand::rng()) else {
        return Ok(());
    };

    harness.wanted.is_new(id); // before the request: Race uses it as an excuse
    let exchange = Exchange::patch(user, &format!("/orders/{id}"), TAKE.to_owned()).await;
    let taken = take(&exchange);
    if taken == Ok(Take::Won) {
        harness.ledger.note(&exchange, "won", id);
    }
    let (template, verdict) = match taken {
        Ok(Take::Won) if !harness.won.is_new(id) => (ORDER, Err(format!("order {id} was taken twice"))),
        Ok(Take::Lost) => (ORDER_LOST, Ok(())),
        other => (ORDER, other.map(|_| ())),
    };
    exchange.record(user, template, &verdict).await
}
