//! The service's answers about orders, and their invariants.

use rand::Rng;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::exchange::{Exchange, Refused};

/// `POST /orders`
pub const ORDERS: &str = "/orders";
/// A `PATCH /orders/:id` that won, or failed.
pub const ORDER: &str = "/orders/:id";
/// A `PATCH /orders/:id` that lost, as all but one must.
pub const ORDER_LOST: &str = "/orders/:id (lost)";

/// The body that takes an order.
pub const TAKE: &str = r#"{"status": "TAKEN"}"#;

/// An order, as placed and listed.
#[derive(Deserialize)]
pub struct Order {
    /// 1 or more.
    pub id: u64,
    distance: i64,
    status: String,
}

impl Order {
    /// Whether a courier can still get it.
    pub fn is_free(&self) -> bool {
        self.status == "UNASSIGNED"
    }

    /// Checks the invariants of an order.
    ///
    /// # Errors
    /// The violated invariant.
    pub fn checked(self) -> Result<Self, String> {
        if self.id == 0 || self.distance < 0 || !["UNASSIGNED", "TAKEN"].contains(&self.status.as_str()) {
            return Err("this order is impossible".to_owned());
        }
        Ok(self)
    }
}

/// A body that places an order, anywhere on Earth.
pub fn trip() -> String {
    let mut random = rand::rng();
    let mut place = || {
        let (latitude, longitude) = (
            random.random_range(-90.0..90.0),
            random.random_range(-180.0..180.0),
        );
        format!(r#"["{latitude:.6}", "{longitude:.6}"]"#)
    };
    format!(r#"{{"origin": {}, "destination": {}}}"#, place(), place())
}

/// The order in an answer to `POST /orders`.
///
/// # Errors
/// The actual answer.
pub fn placed(exchange: &Exchange) -> Result<Order, String> {
    let order: Order = exchange.body(StatusCode::OK)?;
    let order = order.checked()?;
    if order.is_free() {
        Ok(order)
    } else {
        Err("a new order is taken".to_owned())
    }
}

/// The result of a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// This courier has the order.
    Won,
    /// Another courier has it, or is about to.
    Lost,
}

#[derive(Deserialize)]
struct Taken {
    status: String,
}

/// Reads the answer to `PATCH /orders/:id`.
///
/// # Errors
/// The actual answer, if it is neither of the contract's results of a race.
pub fn take(exchange: &Exchange) -> Result<Take, String> {
    if exchange.status() == Some(StatusCode::BAD_REQUEST) {
        let refused: Refused = exchange.body(StatusCode::BAD_REQUEST)?;
        return match refused.code.as_str() {
            "order_taken" | "order_locked" => Ok(Take::Lost),
            other => Err(format!("400: {other}")),
        };
    }
    let taken: Taken = exchange.body(StatusCode::OK)?;
    match taken.status.as_str() {
        "SUCCESS" => Ok(Take::Won),
        other => Err(format!("200, but the status is {other:?}")),
    }
}
