//! Numbers in a query string.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::ApiError;

/// Reads the parameter `name`; `default` if it is absent.
///
/// # Errors
/// [`ApiError::OutOfRange`], whose sentence names the parameter.
pub fn number<N: FromStr + PartialOrd + Display>(
    name: &str,
    text: Option<&str>,
    range: RangeInclusive<N>,
    default: N,
) -> Result<N, ApiError> {
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
    fn the_range_is_inclusive() {
        let number = |text| number("max", text, 1..=100, 7).unwrap();
        assert_eq!(number(Some("1")), 1);
        assert_eq!(number(Some("100")), 100);
        assert_eq!(number(None), 7);
    }

    #[test]
    fn words_and_numbers_out_of_range_are_refused_by_name() {
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
