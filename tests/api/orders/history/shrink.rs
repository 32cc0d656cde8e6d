//! Removes irrelevant operations from a wrong history, so that people can read the rest.

use std::collections::BTreeSet;

use super::operation::{Operation, What};

/// A smaller history that is wrong too; nothing that was removed could explain the rest.
pub fn smallest(mut history: Vec<Operation>, is_wrong: impl Fn(&[Operation]) -> bool) -> Vec<Operation> {
    for index in (0..history.len()).rev() {
        let mut fewer = history.clone();
        let left_out = fewer.remove(index);
        if left_out.what.only_reads() && is_wrong(&fewer) {
            history = fewer;
        }
    }
    let orders: BTreeSet<_> = history.iter().map(|one| one.what.order()).collect();
    for order in orders.into_iter().filter(Option::is_some) {
        let others = history.iter().filter(|one| one.what.order() != order);
        let fewer: Vec<_> = others.cloned().collect();
        if !fewer.iter().any(|one| may_show(&one.what, order)) && is_wrong(&fewer) {
            history = fewer;
        }
    }
    history
}

/// Whether a list shows this order, or would show other orders without it.
fn may_show(what: &What, order: Option<i64>) -> bool {
    let (page, rows) = match what {
        What::Listed { page, rows, .. } => (*page, rows),
        What::ListedAfter { rows, .. } => (1, rows),
        _ => return false,
    };
    page > 1 || rows.iter().any(|row| Some(row.id) == order)
}
