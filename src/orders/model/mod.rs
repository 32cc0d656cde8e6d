//! What an order is, and what can come of taking one.

mod body;

use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;

pub use self::body::{PlaceOrder, TakeOrder};
use crate::error::ApiError;

/// Latitude and longitude in degrees (WGS 84), both finite and in range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

impl Coordinates {
    /// Degrees, -90 to 90 and -180 to 180, limits included.
    ///
    /// # Errors
    /// [`ApiError::OutOfRange`], whose sentence begins with `member`.
    pub fn new(member: &str, latitude: f64, longitude: f64) -> Result<Self, ApiError> {
        let refused = |index: usize, axis: &str, limit: u8| {
            let sentence = format!("{member}[{index}], the {axis}, must be from -{limit} to {limit}.");
            Err(ApiError::OutOfRange(sentence))
        };
        if !(-90.0..=90.0).contains(&latitude) {
            return refused(0, "latitude", 90);
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return refused(1, "longitude", 180);
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

/// From where to where an order goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trip {
    /// Where the goods are fetched.
    pub origin: Coordinates,
    /// Where they are brought.
    pub destination: Coordinates,
}

/// An order about to be placed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    /// From where to where.
    pub trip: Trip,
    /// By road, in metres, 0 or more.
    pub distance: i32,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, diesel::deserialize::FromSqlRow)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// No courier has it yet.
    Unassigned,
    /// A courier has it, for good.
    Taken,
}

/// An order as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderSummary {
    /// By road, in metres.
    pub distance: i32,
    /// 1 or more; grows.
    pub id: i64,
    /// Where it stands.
    pub status: Status,
}

/// An order with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    /// What lists show too.
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

/// What came of trying to take one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOutcome {
    /// It is the caller's now.
    Won,
    /// It was taken before.
    AlreadyTaken,
    /// Another transaction holds its row.
    Locked,
    /// There is none with this id.
    NotFound,
}

impl TakeOutcome {
    /// For metrics.
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

/// The id in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathId {
    /// One that an order can have.
    Possible(i64),
    /// An integer, but no order ever has it: 0, negative, or past the range of bigint.
    Impossible(String),
}

impl PathId {
    /// Reads decimal digits with an optional minus sign.
    ///
    /// # Errors
    /// [`ApiError::InvalidId`] for anything that is no integer.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ApiError::InvalidId);
        }
        Ok(match text.parse() {
            Ok(id) if id > 0 => Self::Possible(id),
            _ => Self::Impossible(text.to_owned()),
        })
    }
}

impl fmt::Display for PathId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Possible(id) => write!(f, "{id}"),
            Self::Impossible(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Coordinates, PathId};

    #[test]
    fn the_poles_and_the_date_line_are_places() {
        for (latitude, longitude) in [(90.0, 180.0), (-90.0, -180.0), (0.0, -0.0)] {
            assert!(Coordinates::new("origin", latitude, longitude).is_ok());
        }
    }

    #[test]
    fn what_is_no_place_is_refused_by_name() {
        let sentence = |latitude, longitude| {
            Coordinates::new("origin", latitude, longitude)
                .unwrap_err()
                .to_string()
        };
        let latitude = "origin[0], the latitude, must be from -90 to 90.";
        let longitude = "origin[1], the longitude, must be from -180 to 180.";
        assert_eq!(sentence(90.000_001, 0.0), latitude);
        assert_eq!(sentence(f64::NAN, 0.0), latitude);
        assert_eq!(sentence(0.0, -180.1), longitude);
        assert_eq!(sentence(0.0, f64::INFINITY), longitude);
    }

    #[test]
    fn integers_are_told_from_words_and_possible_ids_from_impossible_ones() {
        assert_eq!(PathId::parse("7"), Ok(PathId::Possible(7)));
        for impossible in ["0", "-1", "9223372036854775808"] {
            let id = PathId::parse(impossible).unwrap();
            assert_eq!(id, PathId::Impossible(impossible.to_owned()));
        }
        for word in ["abc", "", "-", "1.0", "1e3", "+1", "٣", "0x1"] {
            assert!(PathId::parse(word).is_err(), "{word}");
        }
    }
}
