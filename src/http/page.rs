//! Which page of a list is asked for.

use crate::error::ApiError;

/// The largest `limit`.
const LIMIT_MAX: i64 = 1000;

/// A page of a list: `limit` items after the first `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Items to skip, 0 or more.
    pub offset: i64,
    /// Items to show, 1 to 1000.
    pub limit: i64,
}

impl Page {
    /// Reads the parameters `page`, which counts from 1, and `limit`, 1 to 1000.
    ///
    /// # Errors
    /// [`ApiError::InvalidPage`] where one is missing, no integer, or out of range.
    pub fn parse(page: Option<&str>, limit: Option<&str>) -> Result<Self, ApiError> {
        let page = integer(page)
            .ok_or_else(|| ApiError::InvalidPage("page must be an integer of 1 or more.".to_owned()))?;
        let limit = integer(limit)
            .filter(|limit| *limit <= LIMIT_MAX)
            .ok_or_else(|| {
                ApiError::InvalidPage(format!("limit must be an integer from 1 to {LIMIT_MAX}."))
            })?;
        Ok(Self {
            // No list is so long that the end of the range makes a difference.
            offset: page.saturating_sub(1).saturating_mul(limit),
            limit,
        })
    }
}

fn integer(text: Option<&str>) -> Option<i64> {
    let text = text?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number >= 1)
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn pages_count_from_one() {
        let first = Page::parse(Some("1"), Some("20"));
        assert_eq!(first, Ok(Page { offset: 0, limit: 20 }));
        let third = Page::parse(Some("3"), Some("1000"));
        assert_eq!(
            third,
            Ok(Page {
                offset: 2000,
                limit: 1000
            })
        );
    }

    #[test]
    fn the_last_page_there_could_be_is_a_page() {
        let last = Page::parse(Some("9223372036854775807"), Some("1000"));
        assert_eq!(last.unwrap().offset, i64::MAX);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for wrong in ["", "0", "-1", "+1", "1e3", "1.0", "abc", "9223372036854775808"] {
            assert!(Page::parse(Some(wrong), Some("20")).is_err(), "page={wrong}");
            assert!(Page::parse(Some("1"), Some(wrong)).is_err(), "limit={wrong}");
        }
        assert!(Page::parse(Some("1"), Some("1001")).is_err());
        assert!(Page::parse(None, Some("20")).is_err());
        assert!(Page::parse(Some("1"), None).is_err());
    }
}
