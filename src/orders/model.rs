//! What an order is, and the outcomes of a take.

use serde::Serialize;
use time::OffsetDateTime;

/// An axis of coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// From south to north.
    Latitude,
    /// From west to east.
    Longitude,
}

impl Axis {
    /// The largest number of degrees in either direction.
    #[must_use]
    pub fn limit(self) -> f64 {
        match self {
            Self::Latitude => 90.0,
            Self::Longitude => 180.0,
        }
    }
}

/// Latitude and longitude in degrees (WGS 84), both finite and in range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

impl Coordinates {
    /// Degrees, -90 to 90 and -180 to 180, inclusive.
    ///
    /// # Errors
    /// The axis that is out of range.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, Axis> {
        for (axis, degrees) in [(Axis::Latitude, latitude), (Axis::Longitude, longitude)] {
            if !(-axis.limit()..=axis.limit()).contains(&degrees) {
                return Err(axis);
            }
        }
        Ok(Self { latitude, longitude })
    }

    /// Degrees north, -90 to 90.
    #[must_use]
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east, -180 to 180.
    #[must_use]
    pub fn longitude(&self) -> f64 {
        self.longitude
    }
}

/// The origin and destination of an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trip {
    /// Where the goods are picked up.
    pub origin: Coordinates,
    /// Where they are delivered.
    pub destination: Coordinates,
}

/// An order to be placed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    /// Origin and destination.
    pub trip: Trip,
    /// By road, in metres, 0 or more.
    pub distance: i32,
}

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, diesel::deserialize::FromSqlRow)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// No courier has it yet.
    Unassigned,
    /// A courier has it; this is final.
    Taken,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderSummary {
    /// By road, in metres.
    pub distance: i32,
    /// 1 or more; grows.
    pub id: i64,
    /// The status.
    pub status: Status,
}

/// An order with all its members.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    /// The members that lists show, too.
    #[serde(flatten)]
    pub summary: OrderSummary,
    /// `[latitude, longitude]` in degrees.
    pub origin: [f64; 2],
    /// `[latitude, longitude]` in degrees.
    pub destination: [f64; 2],
    /// When it was placed.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When a courier took it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub taken_at: Option<OffsetDateTime>,
}

/// The outcome of a take of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOutcome {
    /// The caller has it.
    Won,
    /// It was already taken.
    AlreadyTaken,
    /// Another transaction holds its row.
    Locked,
    /// No order has this id.
    NotFound,
}

impl TakeOutcome {
    /// The label of the outcome in metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::AlreadyTaken => "already_taken",
            Self::Locked => "locked",
            Self::NotFound => "not_found",
        }
    }
}

/// A slice of the list of orders: up to `limit` of them from `start` on, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The beginning.
    pub start: Start,
    /// The maximum of orders, 1 to 1000.
    pub limit: i64,
}

/// The beginning of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// After this many orders, 0 or more: a page, which shifts when an order is placed.
    Offset(i64),
    /// After the order with this id, 1 or more: keyset pagination, which does not shift.
    After(i64),
}

impl Slice {
    /// The id after which the next slice begins, if there are `limit` orders, so that there may be more.
    #[must_use]
    pub fn next(self, orders: &[OrderSummary]) -> Option<i64> {
        let is_full = i64::try_from(orders.len()) == Ok(self.limit);
        orders.last().filter(|_| is_full).map(|order| order.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Coordinates, OrderSummary, Slice, Start, Status};

    #[test]
    fn the_poles_and_the_date_line_are_valid() {
        for (latitude, longitude) in [(90.0, 180.0), (-90.0, -180.0), (0.0, -0.0)] {
            assert!(Coordinates::new(latitude, longitude).is_ok());
        }
    }

    #[test]
    fn degrees_out_of_range_are_refused() {
        assert_eq!(Coordinates::new(90.000_001, 0.0), Err(Axis::Latitude));
        assert_eq!(Coordinates::new(f64::NAN, 0.0), Err(Axis::Latitude));
        assert_eq!(Coordinates::new(0.0, -180.1), Err(Axis::Longitude));
        assert_eq!(Coordinates::new(0.0, f64::INFINITY), Err(Axis::Longitude));
    }

    #[test]
    fn the_slice_after_a_full_one_begins_after_its_last_order() {
        let order = |id| OrderSummary {
            distance: 1,
            id,
            status: Status::Unassigned,
        };
        for start in [Start::Offset(12), Start::After(99)] {
            let next = |ids: &[i64]| {
                let orders: Vec<_> = ids.iter().copied().map(order).collect();
                Slice { start, limit: 2 }.next(&orders)
            };
            assert_eq!((next(&[8, 7]), next(&[7]), next(&[])), (Some(7), None, None));
        }
    }
}
