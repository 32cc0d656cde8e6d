//! Checks linearizability: whether one store with one client at a time could have given all answers of a history.
//!
//! This is the search of Wing and Gong with Lowe's memoization. It tries the sequences in which the operations may
//! have happened; one that ended before another began happened first. One of unknown outcome may happen at any time
//! after it began, or not at all.

use std::collections::{BTreeMap, HashSet};

use super::operation::{Operation, Outcome, Row, Status, What, settled};
use super::shrink::smallest;

/// The orders at one moment.
type Store = BTreeMap<i64, Row>;

/// A set of operations, one bit each: at most 128.
type Set = u128;

/// A history that no such store explains.
#[derive(Debug, PartialEq)]
pub struct Unexplained {
    /// The first wrong answer, by its end.
    pub wrong: Operation,
    /// That answer and the operations before it, without irrelevant ones.
    pub history: Vec<Operation>,
}

/// None if some sequence explains all answers.
pub fn unexplained(history: Vec<Operation>) -> Option<Unexplained> {
    let mut history = settled(history);
    assert!(history.len() <= Set::BITS as usize);
    // Those of unknown outcome come last: they have no end.
    history.sort_by_key(|operation| operation.ended);
    let wrong = history.get(explained(&history))?.clone();
    if wrong.what.is_unknown() {
        return None;
    }
    let end = wrong.ended;
    // A change in flight at that time may have happened already, or not.
    history
        .retain(|operation| operation.ended <= end || operation.began <= end && !operation.what.only_reads());
    let history = smallest(history, |fewer| {
        explained(fewer) < fewer.partition_point(|operation| operation.ended <= end)
    });
    Some(Unexplained { wrong, history })
}

/// How many operations, in the order of their ends, are explained.
fn explained(history: &[Operation]) -> usize {
    let mut most = 0;
    let mut seen = HashSet::new();
    let mut open: Vec<(Set, Store)> = vec![(0, Store::new())];
    while let Some((done, store)) = open.pop() {
        let first = done.trailing_ones() as usize;
        most = most.max(first);
        // The effect of a set of operations is the same in every order.
        if !seen.insert(done) {
            continue;
        }
        let fitting = next(history, done).filter(|&index| fits(&history[index], &store, history));
        let mut steps: Vec<_> = fitting.collect();
        // A read can happen at once: whatever is possible after it was possible before.
        if let Some(&free) = steps.iter().find(|&&index| !history[index].what.changes()) {
            steps = vec![free];
        }
        // The last one is tried first: operations that may not have happened at all come last.
        steps.sort_by_key(|&index| !history[index].what.is_unknown());
        open.extend(steps.into_iter().map(|index| {
            let after = after(&history[index].what, store.clone());
            (done | 1 << index, after)
        }));
    }
    most
}

/// The candidates for the next operation: not done, and begun before any other of them ended.
fn next(history: &[Operation], done: Set) -> impl Iterator<Item = usize> {
    let first_end = history
        .get(done.trailing_ones() as usize)
        .map(|first| first.ended);
    let may = move |&index: &usize| done & 1 << index == 0 && Some(history[index].began) <= first_end;
    (0..history.len()).filter(may)
}

/// Whether the store would have given this answer.
fn fits(operation: &Operation, store: &Store, history: &[Operation]) -> bool {
    match &operation.what {
        What::Placed(row) => {
            row.status == Status::Unassigned
                && !store.contains_key(&row.id)
                && grows(row.id, operation, history)
        }
        What::MayHavePlaced(row) => !store.contains_key(&row.id) && grows(row.id, operation, history),
        // A read without an effect can be skipped.
        What::Took(id, Outcome::Won) | What::MayHaveTaken(id) => {
            status(store, *id) == Some(Status::Unassigned)
        }
        What::Took(id, Outcome::Taken) => status(store, *id) == Some(Status::Taken),
        What::Took(id, Outcome::Locked) => store.contains_key(id) && contended(*id, operation, history),
        What::Took(id, Outcome::NotFound) | What::Shown(id, None) => !store.contains_key(id),
        What::Shown(id, Some(row)) => store.get(id) == Some(row),
        What::Listed { page, limit, rows } => {
            let newest_first = store.values().rev();
            newest_first.skip((page - 1) * limit).take(*limit).eq(rows)
        }
        What::ListedAfter { after, limit, rows } => {
            let older = store.range(..after).map(|(_, row)| row);
            older.rev().take(*limit).eq(rows)
        }
        What::Unheard { .. } | What::Odd(_) => false,
    }
}

fn after(what: &What, mut store: Store) -> Store {
    match what {
        What::Placed(row) | What::MayHavePlaced(row) => {
            store.insert(row.id, *row);
        }
        What::Took(id, Outcome::Won) | What::MayHaveTaken(id) => {
            store.entry(*id).and_modify(|row| row.status = Status::Taken);
        }
        _ => {}
    }
    store
}

fn status(store: &Store, id: i64) -> Option<Status> {
    store.get(&id).map(|row| row.status)
}

/// Whether each order that was confirmed by then has a lower id. Ids of concurrent orders may come in any order:
/// PostgreSQL assigns them before the commit.
fn grows(id: i64, place: &Operation, history: &[Operation]) -> bool {
    let mut earlier = history.iter().filter(|other| other.ended < place.began);
    earlier.all(|other| !matches!(other.what, What::Placed(row) if row.id >= id))
}

/// Whether another take of the same order was in flight at the same time.
fn contended(id: i64, take: &Operation, history: &[Operation]) -> bool {
    let mut others = history.iter().filter(|&other| other != take);
    others.any(|other| {
        matches!(other.what, What::Took(same, _) | What::MayHaveTaken(same) if same == id)
            && other.began <= take.ended
            && take.began <= other.ended
    })
}
