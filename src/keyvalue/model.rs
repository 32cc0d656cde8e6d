//! What a key and a value may be.

use crate::error::ApiError;

/// Bytes.
const LONGEST_KEY: usize = 512;
const LARGEST_VALUE: usize = 1024 * 1024;

/// A key of 1 to 512 bytes and a value of at most 1 MiB.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
}

impl Entry {
    /// `member` is what the client calls the key.
    pub(super) fn new(member: &str, key: String, value: String) -> Result<Self, ApiError> {
        if !(1..=LONGEST_KEY).contains(&key.len()) {
            let sentence = format!("{member} must have 1 to {LONGEST_KEY} bytes.");
            return Err(ApiError::OutOfRange(sentence));
        }
        if value.len() > LARGEST_VALUE {
            return Err(ApiError::PayloadTooLarge {
                limit: LARGEST_VALUE as u64,
            });
        }
        Ok(Self { key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiError, Entry};

    fn entry(key: usize, value: usize) -> Result<Entry, ApiError> {
        Entry::new("id", "k".repeat(key), "v".repeat(value))
    }

    #[test]
    fn the_longest_key_and_the_largest_value_are_taken() {
        assert!(entry(1, 0).is_ok());
        assert!(entry(512, 1024 * 1024).is_ok());
    }

    #[test]
    fn what_is_longer_or_no_key_at_all_is_refused() {
        assert_eq!(entry(0, 1).unwrap_err().status_and_code(), (400, "out_of_range"));
        assert_eq!(
            entry(513, 1).unwrap_err().status_and_code(),
            (400, "out_of_range")
        );
        let too_large = entry(1, 1024 * 1024 + 1).unwrap_err();
        assert_eq!(too_large.status_and_code(), (413, "payload_too_large"));
    }
}
