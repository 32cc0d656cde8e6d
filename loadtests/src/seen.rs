//! A set of numbers: exact, one bit each, however long a run lasts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Numbers per page, one bit each.
const PAGE: u64 = 64;

/// A set that only grows.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<u64, u64>>);

impl Seen {
    /// Adds the number, and returns whether it is new.
    pub fn is_new(&self, number: u64) -> bool {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.entry(number / PAGE).or_default();
        let bit = 1 << (number % PAGE);
        let new = *page & bit == 0;
        *page |= bit;
        new
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages
            .get(&(number / PAGE))
            .is_some_and(|page| page & (1 << (number % PAGE)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn a_number_is_new_once() {
        let seen = Seen::default();
        for number in [0, 1, 63, 64, 65, u64::MAX] {
            assert!(!seen.contains(number));
            assert!(seen.is_new(number), "{number}");
            assert!(!seen.is_new(number), "{number}");
            assert!(seen.contains(number));
        }
    }
}
