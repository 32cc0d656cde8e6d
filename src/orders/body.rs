//! The request bodies, as strict as their schemas.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::model::{Axis, Coordinates, Trip};
use crate::error::ApiError;
use crate::http::body::Body;

/// The body of `POST /orders`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    origin: [Degrees; 2],
    destination: [Degrees; 2],
}

impl Body for PlaceOrder {
    const IS_AS_STRICT_AS_ITS_SCHEMA: bool = true;
}

impl PlaceOrder {
    /// The origin and the destination.
    ///
    /// # Errors
    /// [`ApiError::OutOfRange`] if a coordinate is out of range.
    pub fn trip(&self) -> Result<Trip, ApiError> {
        let coordinates = |member: &str, [latitude, longitude]: &[Degrees; 2]| {
            Coordinates::new(latitude.0, longitude.0).map_err(|axis| out_of_range(member, axis))
        };
        Ok(Trip {
            origin: coordinates("origin", &self.origin)?,
            destination: coordinates("destination", &self.destination)?,
        })
    }
}

fn out_of_range(member: &str, axis: Axis) -> ApiError {
    let (index, name) = match axis {
        Axis::Latitude => (0, "latitude"),
        Axis::Longitude => (1, "longitude"),
    };
    let limit = axis.limit();
    ApiError::OutOfRange(format!(
        "{member}[{index}], the {name}, must be from -{limit} to {limit}."
    ))
}

/// The body of `PATCH /orders/<id>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeOrder {
    #[serde(rename = "status")]
    _status: TakenStatus,
}

impl Body for TakeOrder {
    const IS_AS_STRICT_AS_ITS_SCHEMA: bool = true;
}

/// A decimal number with an optional sign, in a string, rounded to the nearest double.
#[derive(Debug)]
struct Degrees(f64);

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let degrees = |text: &str| is_decimal(text).then(|| text.parse().map(Self).ok())?;
        from.deserialize_str(Text("a decimal number in a string", degrees))
    }
}

/// Digits with an optional point at any position. Rust accepts more than that: `1e9`, `inf`.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_there = !whole.is_empty() || !fraction.is_empty();
    is_there && is_digits(whole) && is_digits(fraction)
}

/// The only status that a client can request.
#[derive(Debug)]
struct TakenStatus;

impl<'de> Deserialize<'de> for TakenStatus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Text("\"TAKEN\"", |text| (text == "TAKEN").then_some(Self)))
    }
}

/// Parses a string, or refuses it: what is expected, and the parser.
struct Text<T>(&'static str, fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PlaceOrder, TakeOrder};
    use crate::http::body::{Body, Schema};

    /// Values that may replace any part of a body.
    fn odd_values() -> Vec<Value> {
        let mut odd = vec![
            json!(null),
            json!(true),
            json!(1.5),
            json!([]),
            json!({}),
            json!({"TAKEN": null}),
            json!(["1", "2"]),
            json!({"origin": ["1", "2"], "destination": ["1", "2"]}),
            json!([["1", "2"], ["1", "2"]]),
            json!(["TAKEN"]),
        ];
        for text in [
            "TAKEN",
            "taken",
            "UNASSIGNED",
            "",
            "0",
            "+5",
            "-5.",
            ".5",
            "-.5",
            "5.5",
            ".",
            "-",
            "+",
            "--5",
            "+-5",
            "5.5.5",
            "1e3",
            "inf",
            "NaN",
            "1_000",
            "0x1",
            " 5",
            "5 ",
            "5\n",
            "5\u{0}",
            "\u{663}",
        ] {
            odd.push(json!(text));
        }
        odd.extend([33, 400, 5000].map(|length| json!("1".repeat(length))));
        odd.extend(["50.456399", ".", "-0."].map(|start| json!(format!("{start}{}", "0".repeat(5000)))));
        odd
    }

    /// The body with each of its parts removed or replaced by each of the odd values.
    fn variants(body: &Value) -> Vec<Value> {
        let mut found = odd_values();
        match body {
            Value::Object(members) => {
                for (name, value) in members {
                    let with = |other| {
                        let mut body = members.clone();
                        body.insert(name.clone(), other);
                        json!(body)
                    };
                    found.extend(variants(value).into_iter().map(with));
                    let mut without = members.clone();
                    without.remove(name);
                    found.push(json!(without));
                }
                let mut more = members.clone();
                more.insert("more".to_owned(), json!(1));
                found.push(json!(more));
            }
            Value::Array(items) => {
                for (place, value) in items.iter().enumerate() {
                    let with = |other| {
                        let mut body = items.clone();
                        body[place] = other;
                        json!(body)
                    };
                    found.extend(variants(value).into_iter().map(with));
                }
                found.push(json!(items[1..]));
                found.push(json!([items.as_slice(), &items[..1]].concat()));
            }
            _ => {}
        }
        found.push(body.clone());
        found
    }

    fn agree<T: Body>(schema: &str, body: &Value) {
        let schema = Schema::<T>::of(schema);
        let (mut good, mut bad) = (0, 0);
        for variant in variants(body) {
            let (by_type, by_schema) = schema.judge(&variant);
            assert_eq!(by_type, by_schema, "{variant}");
            if by_type { good += 1 } else { bad += 1 }
        }
        assert!(good > 0 && bad > 30, "{good} good, {bad} bad");
    }

    #[test]
    fn text_is_read_as_in_json() {
        let taken = |text: &str| serde_json::from_str::<TakeOrder>(text).is_ok();
        assert!(taken(" \n{\"status\" :\t\"TAKEN\"} "));
        assert!(taken(r#"{"\u0073tatus": "\u0054AKEN"}"#));
        assert!(!taken(r#"{"status": "TAKEN", "status": "TAKEN"}"#));
        assert!(!taken(r#"{"status": "TAKEN"}{}"#));
    }

    #[test]
    fn coordinates_out_of_range_are_refused_by_name() {
        let sentence = |origin: [&str; 2], destination: [&str; 2]| {
            let body = json!({"origin": origin, "destination": destination});
            let body: PlaceOrder = serde_json::from_value(body).unwrap();
            body.trip().unwrap_err().to_string()
        };
        let latitude = "origin[0], the latitude, must be from -90 to 90.";
        let longitude = "destination[1], the longitude, must be from -180 to 180.";
        assert_eq!(sentence(["90.000001", "0"], ["0", "0"]), latitude);
        assert_eq!(sentence(["0", "0"], ["0.0", "-180.1"]), longitude);
    }

    #[test]
    fn types_and_schemas_accept_the_same_bodies() {
        let place = json!({"origin": ["50.456399", "-12.70758"], "destination": ["59.4", "24"]});
        agree::<PlaceOrder>(include_str!("schemas/place.json"), &place);
        agree::<TakeOrder>(include_str!("schemas/take.json"), &json!({"status": "TAKEN"}));
    }
}
