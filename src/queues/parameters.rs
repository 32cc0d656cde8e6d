//! Numbers in a query string.

use std::ops::RangeInclusive;

use crate::error::ApiError;

/// Reads the parameter `name`; `default` where it is not given.
///
/// # Errors
/// [`ApiError::OutOfRange`], whose sentence names the parameter.
pub(super) fn number(
    name: &str,
    text: Option<&str>,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<u64, ApiError> {
    let Some(text) = text else {
        return Ok(default);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| digits && range.contains(number));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        ApiError::OutOfRange(format!("{name} must be an integer from {least} to {most}."))
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn both_ends_of_the_range_are_in_it() {
        assert_eq!(number("max", Some("1"), 1..=100, 7), Ok(1));
        assert_eq!(number("max", Some("100"), 1..=100, 7), Ok(100));
        assert_eq!(number("max", None, 1..=100, 7), Ok(7));
    }

    #[test]
    fn what_is_no_number_or_not_in_the_range_is_refused_by_name() {
        for wrong in [
            "",
            "0",
            "101",
            "+1",
            "-1",
            "1.0",
            "x",
            " 1",
            "99999999999999999999",
        ] {
            let refused = number("max", Some(wrong), 1..=100, 7).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "max must be an integer from 1 to 100.",
                "{wrong}"
            );
        }
    }
}
