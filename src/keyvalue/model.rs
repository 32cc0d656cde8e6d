//! The limits of keys and values.

/// In bytes.
pub(super) const LONGEST_KEY: usize = 512;
pub(super) const LARGEST_VALUE: usize = 1024 * 1024;

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    Key,
    Value,
}

/// A key of 1 to 512 bytes and a value of at most 1 MiB.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
}

impl Entry {
    pub(super) fn new(key: String, value: String) -> Result<Self, Misfit> {
        if !(1..=LONGEST_KEY).contains(&key.len()) {
            return Err(Misfit::Key);
        }
        if value.len() > LARGEST_VALUE {
            return Err(Misfit::Value);
        }
        Ok(Self { key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Misfit};

    fn entry(key: usize, value: usize) -> Result<Entry, Misfit> {
        Entry::new("k".repeat(key), "v".repeat(value))
    }

    #[test]
    fn the_longest_key_and_the_largest_value_are_accepted() {
        assert!(entry(1, 0).is_ok());
        assert!(entry(512, 1024 * 1024).is_ok());
    }

    #[test]
    fn longer_keys_and_values_and_empty_keys_are_refused() {
        assert_eq!(entry(0, 1).unwrap_err(), Misfit::Key);
        assert_eq!(entry(513, 1).unwrap_err(), Misfit::Key);
        assert_eq!(entry(1, 1024 * 1024 + 1).unwrap_err(), Misfit::Value);
    }
}
