//! Which part of a list is asked for, and where the next part is.

use crate::error::ApiError;

/// The largest `limit`.
const LIMIT_MAX: i64 = 1000;

/// A part of a list: up to `limit` items from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Where it begins.
    pub start: Start,
    /// Items to show, 1 to 1000.
    pub limit: i64,
}

/// Where a part of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// After so many items, 0 or more: a page, which moves when the list grows at its head.
    Offset(i64),
    /// After the item with this id, 1 or more: a keyset, which stays where it is.
    After(i64),
}

impl Slice {
    /// Reads the parameters `limit`, 1 to 1000, and either `page`, which counts from 1, or `after`, an id of
    /// 1 or more. Neither has an upper limit: a page past the end is empty, and every id is before a larger one.
    ///
    /// # Errors
    /// [`ApiError::InvalidPage`] where one is missing, no integer, or out of range, or where `page` and
    /// `after` are both given.
    pub fn parse(page: Option<&str>, after: Option<&str>, limit: Option<&str>) -> Result<Self, ApiError> {
        match (page, after) {
            (Some(_), Some(_)) => Err(ApiError::InvalidPage(
                "page and after exclude each other: give one of them.".to_owned(),
            )),
            (None, Some(_)) => Ok(Self {
                start: Start::After(number("after", after)?),
                limit: read_limit(limit)?,
            }),
            (_, None) => {
                let (page, limit) = (number("page", page)?, read_limit(limit)?);
                // No list is so long that the end of the range makes a difference.
                let start = Start::Offset(page.saturating_sub(1).saturating_mul(limit));
                Ok(Self { start, limit })
            }
        }
    }

    /// The `Link` header (RFC 8288) to the items after these, where there are as many as `limit`, so that there
    /// may be more. It names no host: behind any proxy it means the one that the client has asked.
    #[must_use]
    pub fn next_link<T>(self, path: &str, items: &[T], id: fn(&T) -> i64) -> Option<String> {
        let limit = self.limit;
        let last = items.last().filter(|_| i64::try_from(items.len()) == Ok(limit))?;
        Some(format!("<{path}?after={}&limit={limit}>; rel=\"next\"", id(last)))
    }
}

fn read_limit(limit: Option<&str>) -> Result<i64, ApiError> {
    integer(limit)
        .filter(|limit| *limit <= LIMIT_MAX)
        .ok_or_else(|| ApiError::InvalidPage(format!("limit must be an integer from 1 to {LIMIT_MAX}.")))
}

fn number(parameter: &str, text: Option<&str>) -> Result<i64, ApiError> {
    let refused = || ApiError::InvalidPage(format!("{parameter} must be an integer of 1 or more."));
    integer(text).ok_or_else(refused)
}

/// Decimal digits, 1 or more; what is larger than any id or number of items is the largest.
fn integer(text: Option<&str>) -> Option<i64> {
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = digits.parse().unwrap_or(i64::MAX); // digits alone fail for their number only
    (number >= 1).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Slice, Start};

    fn page(page: &str, limit: &str) -> Option<Slice> {
        Slice::parse(Some(page), None, Some(limit)).ok()
    }

    fn after(id: &str, limit: &str) -> Option<Slice> {
        Slice::parse(None, Some(id), Some(limit)).ok()
    }

    #[test]
    fn pages_count_from_one() {
        let slice = |offset, limit| {
            Some(Slice {
                start: Start::Offset(offset),
                limit,
            })
        };
        assert_eq!(page("1", "20"), slice(0, 20));
        assert_eq!(page("3", "1000"), slice(2000, 1000));
        for past_the_end in ["9223372036854775807", "9223372036854775808", &"9".repeat(40)] {
            assert_eq!(
                page(past_the_end, "1000"),
                slice(i64::MAX, 1000),
                "{past_the_end}"
            );
        }
    }

    #[test]
    fn what_comes_after_an_id_begins_there() {
        let slice = |id, limit| {
            Some(Slice {
                start: Start::After(id),
                limit,
            })
        };
        assert_eq!(after("1", "1000"), slice(1, 1000));
        for large in ["9223372036854775807", "9223372036854775808", &"9".repeat(40)] {
            assert_eq!(after(large, "1"), slice(i64::MAX, 1), "{large}");
        }
    }

    #[test]
    fn what_is_no_number_in_range_is_refused() {
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
            let sentence = Slice::parse(page, after, limit).unwrap_err().to_string();
            assert!(sentence.starts_with(begins), "{sentence}");
        }
    }

    #[test]
    fn a_full_slice_links_to_what_comes_after_its_last_item() {
        for slice in [page("7", "2"), after("99", "2")] {
            let link = |ids: &[i64]| slice.unwrap().next_link("/things", ids, |id| *id);
            let next = "</things?after=7&limit=2>; rel=\"next\"";
            assert_eq!(link(&[8, 7]).as_deref(), Some(next));
            assert_eq!((link(&[7]), link(&[])), (None, None));
        }
    }
}
