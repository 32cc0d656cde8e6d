//! Many couriers race for the same order at the same moment; see [`crate::race`].

use std::sync::Arc;

use goose::prelude::*;

use crate::exchange::Exchange;
use crate::harness::{Harness, step};
use crate::orders::{ORDER, ORDER_LOST, ORDERS, TAKE, Take, placed, take, trip};
use crate::race::{Ending, Fault};

/// One round after another.
pub fn scenario(harness: &Arc<Harness>) -> Scenario {
    Scenario::new("Race").register_transaction(step!(harness, race).set_name("race for an order"))
}

async fn race(user: &mut GooseUser, harness: &Harness) -> TransactionResult {
    let mut seat = harness.race.enter();
    if seat.is_starter() {
        seat.until_settled().await;
        let exchange = Exchange::post(user, ORDERS, None, trip()).await;
        let order = placed(&exchange);
        exchange.record(user, ORDERS, &order).await?;
        let Ok(order) = order else {
            return Ok(());
        };
        harness.ledger.note(&exchange, "placed", order.id);
        seat.open(order.id).await;
    }
    let Some(id) = seat.order().await else {
        return Ok(());
    };

    let exchange = Exchange::patch(user, &format!("/orders/{id}"), TAKE.to_owned()).await;
    let taken = take(&exchange);
    let (template, ending) = match taken {
        Ok(Take::Won) => (ORDER, Ending::Won),
        Ok(Take::Lost) => (ORDER_LOST, Ending::Lost),
        Err(_) => (ORDER, Ending::Unknown),
    };
    if ending == Ending::Won {
        harness.ledger.note(&exchange, "won", id);
    }
    // For the winner: the order was won before. For all others: a courier outside the race may have won it.
    let elsewhere = match ending {
        Ending::Won => !harness.won.is_new(id),
        _ => harness.wanted.contains(id),
    };
    let (template, verdict) = match seat.answer(ending, elsewhere) {
        Err(Fault::Double) => (ORDER, Err(format!("order {id} was taken twice"))),
        Err(Fault::Nobody) => (ORDER, Err(format!("order {id} was raced for and nobody got it"))),
        Ok(()) => (template, taken.map(|_| ())),
    };
    exchange.record(user, template, &verdict).await
}
