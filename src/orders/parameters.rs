//! Parameters in paths and queries: the id of an order, and the requested slice of the list.

use std::fmt;

use super::model::{Slice, Start};
use super::refusal::OrderRefusal;

/// The maximum of `limit`.
const LIMIT_MAX: i64 = 1000;

/// The id in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathId {
    /// An id that an order can have.
    Possible(i64),
    /// An integer that is never an id: 0, negative, or beyond the range of bigint.
    Impossible(String),
}

impl PathId {
    /// Reads decimal digits with an optional minus sign.
    ///
    /// # Errors
    /// [`OrderRefusal::InvalidId`] for anything that is not an integer.
    pub(super) fn parse(text: &str) -> Result<Self, OrderRefusal> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(OrderRefusal::InvalidId);
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

/// Reads the parameters `limit`, 1 to 1000, and either `page`, which counts from 1, or `after`, an id of
/// 1 or more. Neither has an upper limit: a page past the end is empty, and every id precedes a larger one.
///
/// # Errors
/// [`OrderRefusal::InvalidPage`] if one is missing, not an integer, or out of range, or if `page` and
/// `after` are both given.
pub(super) fn slice(
    page: Option<&str>,
    after: Option<&str>,
    limit: Option<&str>,
) -> Result<Slice, OrderRefusal> {
    match (page, after) {
        (Some(_), Some(_)) => Err(OrderRefusal::InvalidPage(
            "page and after exclude each other: give one of them.".to_owned(),
        )),
        (None, Some(_)) => Ok(Slice {
            start: Start::After(number("after", after)?),
            limit: read_limit(limit)?,
        }),
        (_, None) => {
            let (page, limit) = (number("page", page)?, read_limit(limit)?);
            // No list is long enough for saturation to matter.
            let start = Start::Offset(page.saturating_sub(1).saturating_mul(limit));
            Ok(Slice { start, limit })
        }
    }
}

/// The `Link` header (RFC 8288) to the orders after this one. It names no host: behind any proxy it refers to the one
/// that the client used.
pub(super) fn next_link(after: i64, limit: i64) -> String {
    format!("</orders?after={after}&limit={limit}>; rel=\"next\"")
}

fn read_limit(limit: Option<&str>) -> Result<i64, OrderRefusal> {
    integer(limit)
        .filter(|limit| *limit <= LIMIT_MAX)
        .ok_or_else(|| OrderRefusal::InvalidPage(format!("limit must be an integer from 1 to {LIMIT_MAX}.")))
}

fn number(parameter: &str, text: Option<&str>) -> Result<i64, OrderRefusal> {
    let refused = || OrderRefusal::InvalidPage(format!("{parameter} must be an integer of 1 or more."));
    integer(text).ok_or_else(refused)
}

/// Decimal digits, 1 or more; numbers beyond the range saturate.
fn integer(text: Option<&str>) -> Option<i64> {
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = digits.parse().unwrap_or(i64::MAX); // digits can only overflow
    (number >= 1).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{PathId, Slice, Start, next_link, slice};

    fn page(page: &str, limit: &str) -> Option<Slice> {
        slice(Some(page), None, Some(limit)).ok()
    }

    fn after(id: &str, limit: &str) -> Option<Slice> {
        slice(None, Some(id), Some(limit)).ok()
    }

    #[test]
    fn pages_count_from_one() {
        let expected = |offset, limit| {
            Some(Slice {
                start: Start::Offset(offset),
                limit,
            })
        };
        assert_eq!(page("1", "20"), expected(0, 20));
        assert_eq!(page("3", "1000"), expected(2000, 1000));
        for past_the_end in ["9223372036854775807", "9223372036854775808", &"9".repeat(40)] {
            assert_eq!(
                page(past_the_end, "1000"),
                expected(i64::MAX, 1000),
                "{past_the_end}"
            );
        }
    }

    #[test]
    fn a_slice_after_an_id_begins_there() {
        let expected = |id, limit| {
            Some(Slice {
                start: Start::After(id),
                limit,
            })
        };
        assert_eq!(after("1", "1000"), expected(1, 1000));
        for large in ["9223372036854775807", "9223372036854775808", &"9".repeat(40)] {
            assert_eq!(after(large, "1"), expected(i64::MAX, 1), "{large}");
        }
    }

    #[test]
    fn numbers_out_of_range_and_words_are_refused() {
        for wrong in [
            "",
            "0",
            "00",
            "-1",
            "+1",
            "1e3",
            "1.0",
            "abc",
            "-9223372036854775809",
        ] {
            assert_eq!(page(wrong, "20"), None, "page={wrong}");
            assert_eq!(after(wrong, "20"), None, "after={wrong}");
            assert_eq!(page("1", wrong), None, "limit={wrong}");
            assert_eq!(after("1", wrong), None, "limit={wrong}");
        }
        for large in ["1001", "9223372036854775808"] {
            assert_eq!((page("1", large), after("1", large)), (None, None), "{large}");
        }
    }

    #[test]
    fn a_refusal_names_the_parameter() {
        let one = Some("1");
        for (page, after, limit, begins) in [
            (None, None, one, "page must"),
            (None, Some("x"), one, "after must"),
            (one, None, None, "limit must"),
            (None, one, None, "limit must"),
            (one, one, one, "page and after exclude"),
        ] {
            let sentence = slice(page, after, limit).unwrap_err().to_string();
            assert!(sentence.starts_with(begins), "{sentence}");
        }
    }

    #[test]
    fn a_link_names_the_id_and_the_limit() {
        assert_eq!(next_link(7, 2), "</orders?after=7&limit=2>; rel=\"next\"");
    }

    #[test]
    fn integers_and_words_and_possible_and_impossible_ids_are_distinguished() {
        assert_eq!(PathId::parse("7").unwrap(), PathId::Possible(7));
        for impossible in ["0", "-1", "9223372036854775808"] {
            let id = PathId::parse(impossible).unwrap();
            assert_eq!(id, PathId::Impossible(impossible.to_owned()));
        }
        for word in ["abc", "", "-", "1.0", "1e3", "+1", "٣", "0x1"] {
            assert!(PathId::parse(word).is_err(), "{word}");
        }
    }
}
