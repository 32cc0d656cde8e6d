//! The orders for the handlers: each statement has a lane.

mod statements;

use std::sync::Arc;

use diesel::pg::PgConnection;
use diesel::result::{Error, QueryResult};

use super::model::{NewOrder, Order, Slice, TakeOutcome};
use crate::db::Database;
use crate::db::batch::{read_lane, shared_read_lane, write_lane};
use crate::failure::Failure;
use crate::lane::Lane;

/// Concurrent batches of different lists, each on its own connection.
const LISTS: usize = 8;
/// The same for deep pages.
const DEEP_LISTS: usize = 2;

/// The orders in PostgreSQL.
pub struct Orders {
    place: Lane<NewOrder, i64>,
    take: Lane<i64, TakeOutcome>,
    find: Lane<i64, Option<Order>>,
    list: Lane<Slice, Arc<Listing>>,
    /// A lane of its own: deep pages never delay the newest orders.
    list_deep: Lane<Slice, Arc<Listing>>,
}

impl Orders {
    /// Opens the lanes; must be called inside the async runtime.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self {
            place: write_lane("place", database, statements::place),
            take: write_lane("take", database, statements::take),
            find: read_lane("find", database, statements::find),
            list: shared_read_lane("list", database, LISTS, list),
            list_deep: shared_read_lane("list_deep", database, DEEP_LISTS, list),
        }
    }

    /// Whether an order placed now would be refused at once: then its distance need not be looked up.
    ///
    /// # Errors
    /// Too many requests wait.
    pub fn has_room(&self) -> Result<(), Failure> {
        self.place.has_room()
    }

    /// Places an order and returns its id; by then the order is on disk.
    ///
    /// # Errors
    /// PostgreSQL is unreachable or refuses, too many requests wait, or the outcome is unknown.
    pub async fn place(&self, order: NewOrder) -> Result<i64, Failure> {
        self.place.ask(order).await
    }

    /// Takes an order for exactly one courier.
    ///
    /// # Errors
    /// As [`Orders::place`].
    pub async fn take(&self, id: i64) -> Result<TakeOutcome, Failure> {
        self.take.ask(id).await
    }

    /// One order with all its members.
    ///
    /// # Errors
    /// PostgreSQL is unreachable or refuses, or too many requests wait.
    pub async fn find(&self, id: i64) -> Result<Option<Order>, Failure> {
        self.find.ask(id).await
    }

    /// A slice of the orders, newest first; requests that wait for the same slice share the result.
    ///
    /// # Errors
    /// As [`Orders::find`].
    pub async fn list(&self, slice: Slice) -> Result<Arc<Listing>, Failure> {
        let lane = if statements::is_deep(slice) {
            &self.list_deep
        } else {
            &self.list
        };
        lane.ask(slice).await
    }
}

/// A slice of the orders, ready to be sent.
pub struct Listing {
    /// A JSON array of the orders.
    pub json: Vec<u8>,
    /// The id after which the next slice begins.
    pub next: Option<i64>,
}

fn list(connection: &mut PgConnection, slice: Slice) -> QueryResult<Arc<Listing>> {
    let orders = statements::list(connection, slice)?;
    let json = serde_json::to_vec(&orders).map_err(|error| Error::SerializationError(error.into()))?;
    let next = slice.next(&orders);
    Ok(Arc::new(Listing { json, next }))
}
