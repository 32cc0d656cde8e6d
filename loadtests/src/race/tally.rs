//! The results of all rounds, and the one line that summarizes them.

use std::fmt;

/// Counted over the life of the process.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Orders whose race was completed.
    pub orders: u64,
    /// Couriers in all rounds together.
    pub takers: u64,
    /// Orders that were won.
    pub winners: u64,
    /// Wins of orders that had already been won.
    pub doubles: u64,
    /// Orders that every courier lost.
    pub nobody: u64,
    /// Orders of unknown result: a courier got no answer, or one outside the race took it.
    pub undecided: u64,
}

impl Tally {
    /// Whether the service kept its promise.
    pub fn is_clean(&self) -> bool {
        self.doubles == 0 && self.nobody == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, takers, .. } = self;
        let at_once = (takers + orders / 2) / (*orders).max(1);
        write!(
            f,
            "{orders} orders raced for by {takers} takers ({at_once} at once): {} winners, {} double takes",
            self.winners, self.doubles
        )?;
        if self.nobody > 0 {
            write!(f, ", {} orders that nobody got", self.nobody)?;
        }
        if self.undecided > 0 {
            write!(f, ", {} undecided", self.undecided)?;
        }
        Ok(())
    }
}
