//! The SQL of the orders. Every statement is prepared once per connection and is its own transaction.

use std::collections::HashMap;
use std::mem;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgConnection, PgValue};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text};
use time::OffsetDateTime;

use super::super::model::{NewOrder, Order, OrderSummary, Slice, Start, Status, TakeOutcome};
use crate::db::schema::orders::{self, dsl};
use crate::db::sqlstate::is_lock_not_available;

/// The offset from which skipping in the index saves more than planning a second scan costs.
const DEEP: i64 = 1000;

/// Whether it has to skip many ids.
pub fn is_deep(slice: Slice) -> bool {
    matches!(slice.start, Start::Offset(offset) if offset >= DEEP)
}

/// Places orders and returns the id of each.
pub fn place(connection: &mut PgConnection, new: &[NewOrder]) -> QueryResult<Vec<i64>> {
    let mut ids: Vec<i64> = PlaceOrders::of(new).load(connection)?;
    // Rows are numbered in the order of the arrays; RETURNING does not guarantee an order.
    ids.sort_unstable();
    Ok(ids)
}

/// Takes orders, each for exactly one courier: in one statement, or in two if another transaction holds one of
/// the rows. Of equal ids the first one wins.
pub fn take(connection: &mut PgConnection, ids: &[i64]) -> QueryResult<Vec<TakeOutcome>> {
    let rows = match (TakeFree { ids }).load(connection) {
        Err(error) if is_lock_not_available(&error) => (TakeWhatIsFree { ids }).load(connection),
        rows => rows,
    }?;
    let mut won: HashMap<i64, Option<bool>> = rows.into_iter().collect();
    let outcome = |id| match won.get_mut(id).map(|won| won.as_mut().map(mem::take)) {
        Some(Some(true)) => TakeOutcome::Won,
        Some(Some(false)) => TakeOutcome::AlreadyTaken,
        Some(None) => TakeOutcome::Locked,
        None => TakeOutcome::NotFound,
    };
    Ok(ids.iter().map(outcome).collect())
}

/// Orders with all their members.
pub fn find(connection: &mut PgConnection, ids: &[i64]) -> QueryResult<Vec<Option<Order>>> {
    let rows: Vec<Row> = FindOrders { ids }.load(connection)?;
    let found: HashMap<i64, Order> = rows.into_iter().map(|row| (row.id, Order::from(row))).collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

/// A slice of the orders, newest first.
pub fn list(connection: &mut PgConnection, slice: Slice) -> QueryResult<Vec<OrderSummary>> {
    let limit = slice.limit;
    let newest_first = dsl::orders
        .select((dsl::distance, dsl::id, dsl::status))
        .order(dsl::id.desc())
        .limit(limit);
    let rows: Vec<(i32, i64, Status)> = match slice.start {
        Start::After(id) => newest_first.filter(dsl::id.lt(id)).load(connection),
        Start::Offset(offset) if offset < DEEP => newest_first.offset(offset).load(connection),
        Start::Offset(offset) => DeepPage { offset, limit }.load(connection),
    }?;
    Ok(rows.into_iter().map(OrderSummary::from).collect())
}

/// An index-only scan finds the page's first id, and only the page itself is read from the table.
///
/// There are at most as many orders as ids from the first to the last one. So both ends of the index show that a page
/// beyond those is empty, and nothing is skipped for it: `CASE` leaves the scan out.
#[derive(QueryId)]
struct DeepPage {
    offset: i64,
    limit: i64,
}

impl QueryFragment<Pg> for DeepPage {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT distance, id, status FROM orders WHERE id <= CASE WHEN ");
        out.push_bind_param::<BigInt, _>(&self.offset)?;
        out.push_sql(
            " <= (SELECT max(id) FROM orders) - (SELECT min(id) FROM orders) \
             THEN (SELECT id FROM orders ORDER BY id DESC OFFSET $1 LIMIT 1) END ORDER BY id DESC LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl Query for DeepPage {
    type SqlType = (Integer, BigInt, Text);
}

impl RunQueryDsl<PgConnection> for DeepPage {}

/// For each existing order: its id, and whether it was won; null if its row is held.
type TakeRow = (BigInt, Nullable<Bool>);

/// One statement and one round trip: lock, decide, update, report.
///
/// `NOWAIT` raises 55P03 if another transaction holds one of the rows. If one has just released a row, the
/// lock reads the row again, and so does the update (PostgreSQL manual, 13.2.1): no order is won twice.
struct TakeFree<'a> {
    ids: &'a [i64],
}

/// As [`TakeFree`], but reports held rows instead of failing.
///
/// `present` is read without a lock: an existing order that was not locked is held, and a missing one does
/// not exist. One that its snapshot shows as taken stays taken, whoever holds it.
struct TakeWhatIsFree<'a> {
    ids: &'a [i64],
}

/// After the rows were locked. The ids are the first parameter, and they name the rows of the updated table, too,
/// which tells a distributed table where to look.
const TAKEN: &str = "taken AS (UPDATE orders SET status = 'TAKEN', taken_at = now() FROM locked \
     WHERE orders.id = ANY($1) AND orders.id = locked.id AND locked.free RETURNING orders.id) ";

impl QueryFragment<Pg> for TakeFree<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH locked AS (SELECT id, status = 'UNASSIGNED' AS free FROM orders WHERE id = ANY(");
        out.push_bind_param::<Array<BigInt>, _>(self.ids)?;
        out.push_sql(") ORDER BY id FOR UPDATE NOWAIT), ");
        out.push_sql(TAKEN);
        out.push_sql(
            "SELECT locked.id, taken.id IS NOT NULL FROM locked LEFT JOIN taken ON taken.id = locked.id",
        );
        Ok(())
    }
}

impl QueryFragment<Pg> for TakeWhatIsFree<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH present AS (SELECT id, status = 'UNASSIGNED' AS free FROM orders WHERE id = ANY(");
        out.push_bind_param::<Array<BigInt>, _>(self.ids)?;
        out.push_sql(
            ")), locked AS (SELECT id, status = 'UNASSIGNED' AS free FROM orders \
             WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED), ",
        );
        out.push_sql(TAKEN);
        out.push_sql(
            "SELECT present.id, \
             CASE WHEN locked.id IS NOT NULL OR NOT present.free THEN taken.id IS NOT NULL END \
             FROM present LEFT JOIN locked ON locked.id = present.id LEFT JOIN taken ON taken.id = present.id",
        );
        Ok(())
    }
}

impl QueryId for TakeFree<'_> {
    type QueryId = TakeFree<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for TakeWhatIsFree<'_> {
    type QueryId = TakeWhatIsFree<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for TakeFree<'_> {
    type SqlType = TakeRow;
}

impl Query for TakeWhatIsFree<'_> {
    type SqlType = TakeRow;
}

impl RunQueryDsl<PgConnection> for TakeFree<'_> {}

impl RunQueryDsl<PgConnection> for TakeWhatIsFree<'_> {}

/// One `INSERT` for any number of orders: each column is an array, so there is one statement to prepare.
#[derive(QueryId)]
struct PlaceOrders {
    origin_lat: Vec<f64>,
    origin_lng: Vec<f64>,
    destination_lat: Vec<f64>,
    destination_lng: Vec<f64>,
    distance: Vec<i32>,
}

impl PlaceOrders {
    fn of(new: &[NewOrder]) -> Self {
        let degrees = |of: fn(&NewOrder) -> f64| new.iter().map(of).collect();
        Self {
            origin_lat: degrees(|order| order.trip.origin.latitude()),
            origin_lng: degrees(|order| order.trip.origin.longitude()),
            destination_lat: degrees(|order| order.trip.destination.latitude()),
            destination_lng: degrees(|order| order.trip.destination.longitude()),
            distance: new.iter().map(|order| order.distance).collect(),
        }
    }
}

impl Query for PlaceOrders {
    type SqlType = BigInt;
}

impl RunQueryDsl<PgConnection> for PlaceOrders {}

impl QueryFragment<Pg> for PlaceOrders {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance) \
             SELECT a, b, c, d, e FROM unnest(",
        );
        for column in [
            &self.origin_lat,
            &self.origin_lng,
            &self.destination_lat,
            &self.destination_lng,
        ] {
            out.push_bind_param::<Array<Double>, _>(column)?;
            out.push_sql(", ");
        }
        out.push_bind_param::<Array<Integer>, _>(&self.distance)?;
        out.push_sql(") WITH ORDINALITY AS new (a, b, c, d, e, place) ORDER BY place RETURNING id");
        Ok(())
    }
}

/// Diesel would build the SQL of `eq_any` at each call to find the prepared statement.
struct FindOrders<'a> {
    ids: &'a [i64],
}

impl QueryFragment<Pg> for FindOrders<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT id, origin_lat, origin_lng, destination_lat, destination_lng, distance, status, \
             created_at, taken_at FROM orders WHERE id = ANY(",
        );
        out.push_bind_param::<Array<BigInt>, _>(self.ids)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for FindOrders<'_> {
    type QueryId = FindOrders<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for FindOrders<'_> {
    type SqlType = orders::SqlType;
}

impl RunQueryDsl<PgConnection> for FindOrders<'_> {}

/// A row of the table, with all columns in order.
#[derive(Queryable)]
struct Row {
    id: i64,
    origin_lat: f64,
    origin_lng: f64,
    destination_lat: f64,
    destination_lng: f64,
    distance: i32,
    status: Status,
    created_at: OffsetDateTime,
    taken_at: Option<OffsetDateTime>,
}

impl From<Row> for Order {
    fn from(row: Row) -> Self {
        Self {
            summary: OrderSummary::from((row.distance, row.id, row.status)),
            origin: [row.origin_lat, row.origin_lng],
            destination: [row.destination_lat, row.destination_lng],
            created_at: row.created_at,
            taken_at: row.taken_at,
        }
    }
}

impl From<(i32, i64, Status)> for OrderSummary {
    fn from((distance, id, status): (i32, i64, Status)) -> Self {
        Self { distance, id, status }
    }
}

impl FromSql<Text, Pg> for Status {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"UNASSIGNED" => Ok(Self::Unassigned),
            b"TAKEN" => Ok(Self::Taken),
            other => Err(format!("no such status: {}", String::from_utf8_lossy(other)).into()),
        }
    }
}
