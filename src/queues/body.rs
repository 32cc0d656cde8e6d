//! The request bodies.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::http::body::Body;

/// The body of `PATCH …/messages/<receipt>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Visibility {
    /// In seconds.
    pub(super) visibility: u64,
}

impl Body for Visibility {}

/// In bytes.
const LARGEST_MESSAGE: usize = 1024 * 1024;
const LARGEST_BATCH: usize = 1000;

/// The messages in a body: the body itself, or the elements of a JSON array. Each element is one message: the text of
/// a string, or the JSON of anything else, with its numbers and the order of its members unchanged.
///
/// # Errors
/// A message is too large, or an array has none or too many.
pub(super) fn messages(body: String) -> Result<Vec<String>, ApiError> {
    let elements: Option<Vec<&RawValue>> = body
        .trim_start()
        .starts_with('[')
        .then(|| serde_json::from_str(&body).ok())
        .flatten();
    let messages = match elements {
        None => vec![body],
        Some(elements) if (1..=LARGEST_BATCH).contains(&elements.len()) => elements
            .into_iter()
            .map(|element| message(element.get()))
            .collect::<Result<_, _>>()?,
        Some(_) => {
            let sentence = format!("A batch must have 1 to {LARGEST_BATCH} messages.");
            return Err(ApiError::OutOfRange(sentence));
        }
    };
    if messages.iter().any(|message| message.len() > LARGEST_MESSAGE) {
        return Err(ApiError::PayloadTooLarge {
            limit: LARGEST_MESSAGE as u64,
        });
    }
    Ok(messages)
}

fn message(json: &str) -> Result<String, ApiError> {
    if json.starts_with('"') {
        // A lone surrogate is valid JSON, but not text.
        serde_json::from_str(json).map_err(|error| ApiError::InvalidJson(error.to_string()))
    } else {
        Ok(compact(json))
    }
}

/// Without white space between tokens.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&character| {
            let kept = in_string || !character.is_ascii_whitespace();
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = !in_string,
                _ => {}
            }
            kept
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ApiError, messages};

    fn read(body: &str) -> Result<Vec<String>, ApiError> {
        messages(body.to_owned())
    }

    fn refusal(body: &str) -> (u16, &'static str) {
        let error = read(body).unwrap_err();
        (error.shape().status, error.shape().code)
    }

    #[test]
    fn a_body_that_is_not_an_array_is_one_message() {
        for body in [
            "",
            "x",
            " {\"a\": 1} ",
            "\"text\"",
            "[1, 2",
            "[1] [2]",
            "[a]",
            "null",
        ] {
            assert_eq!(read(body).unwrap(), [body]);
        }
    }

    #[test]
    fn each_element_of_an_array_is_one_message() {
        let body =
            r#" ["a\"\u0000", {"b" : [1, 1.50, 1e999],  "a": " \" \\" }, null, [ ], 12345678901234567890 ] "#;
        let expected = [
            "a\"\0",
            r#"{"b":[1,1.50,1e999],"a":" \" \\"}"#,
            "null",
            "[]",
            "12345678901234567890",
        ];
        assert_eq!(read(body).unwrap(), expected);
    }

    #[test]
    fn a_batch_has_one_to_a_thousand_messages() {
        let batch = |length: usize| format!("[{}]", vec!["1"; length].join(","));
        assert_eq!(read(&batch(1000)).unwrap().len(), 1000);
        for length in [0, 1001] {
            assert_eq!(refusal(&batch(length)), (400, "out_of_range"));
        }
    }

    #[test]
    fn a_message_is_at_most_one_mebibyte_of_text() {
        let largest = "x".repeat(1024 * 1024);
        assert_eq!(read(&largest).unwrap().len(), 1);
        assert_eq!(read(&format!("[1,\"{largest}\"]")).unwrap().len(), 2);
        for body in [format!("{largest}x"), format!("[1,\"{largest}x\"]")] {
            assert_eq!(refusal(&body), (413, "payload_too_large"));
        }
    }

    #[test]
    fn a_lone_surrogate_is_refused() {
        assert_eq!(refusal(r#"["\ud800"]"#), (400, "invalid_body"));
    }
}
