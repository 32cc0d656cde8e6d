//! Handwritten histories: which are linearizable, and which are not.

use std::time::Duration;

use super::checker::unexplained;
use super::operation::{Operation, Outcome, Row, Status, What};

/// An operation with its start and end.
pub fn at(began: u64, ended: u64, what: What) -> Operation {
    Operation {
        client: 0,
        instance: 0,
        began: Duration::from_micros(began),
        ended: Duration::from_micros(ended),
        what,
    }
}

pub fn free(id: i64) -> Row {
    Row {
        id,
        distance: 100 * id,
        status: Status::Unassigned,
    }
}

pub fn taken(id: i64) -> Row {
    Row {
        status: Status::Taken,
        ..free(id)
    }
}

pub fn placed(id: i64) -> What {
    What::Placed(free(id))
}

pub fn won(id: i64) -> What {
    What::Took(id, Outcome::Won)
}

pub fn shown(row: Row) -> What {
    What::Shown(row.id, Some(row))
}

fn page(page: usize, rows: &[Row]) -> What {
    What::Listed {
        page,
        limit: 2,
        rows: rows.to_vec(),
    }
}

pub fn listed(rows: &[Row]) -> What {
    page(1, rows)
}

fn second_page(rows: &[Row]) -> What {
    page(2, rows)
}

pub fn assert_explained<const N: usize>(history: [Operation; N]) {
    assert_eq!(unexplained(history.to_vec()), None);
}

/// Fails unless this is the first wrong answer.
pub fn assert_wrong<const N: usize>(index: usize, history: [Operation; N]) {
    let wrong = unexplained(history.to_vec()).map(|unexplained| unexplained.wrong);
    assert_eq!(wrong.as_ref(), Some(&history[index]));
}

#[test]
fn sequential_operations_are_explained() {
    assert_explained([
        at(0, 1, listed(&[])),
        at(2, 3, What::Took(1, Outcome::NotFound)),
        at(4, 5, placed(1)),
        at(6, 7, shown(free(1))),
        at(8, 9, won(1)),
        at(10, 11, What::Took(1, Outcome::Taken)),
        at(12, 13, placed(2)),
        at(14, 15, placed(3)),
        at(16, 17, listed(&[free(3), free(2)])),
        at(18, 19, second_page(&[taken(1)])),
        at(20, 21, What::Shown(4, None)),
    ]);
}

#[test]
fn an_order_is_won_once() {
    assert_wrong(2, [at(0, 1, placed(1)), at(2, 4, won(1)), at(3, 5, won(1))]);
}

#[test]
fn an_order_that_was_not_placed_is_not_won() {
    assert_wrong(1, [at(0, 1, placed(1)), at(2, 3, won(2))]);
}

#[test]
fn a_free_order_is_not_reported_taken() {
    let lost = What::Took(1, Outcome::Taken);
    assert_wrong(1, [at(0, 1, placed(1)), at(2, 3, lost), at(4, 5, won(1))]);
}

#[test]
fn a_placed_order_is_in_the_next_list() {
    assert_wrong(1, [at(0, 1, placed(1)), at(2, 3, listed(&[]))]);
}

#[test]
fn an_order_in_flight_may_be_in_the_list() {
    for rows in [vec![], vec![free(1)]] {
        assert_explained([at(0, 3, placed(1)), at(1, 2, listed(&rows))]);
    }
}

#[test]
fn a_placed_order_is_found() {
    let missed = [What::Shown(1, None), What::Took(1, Outcome::NotFound)];
    for missed in missed {
        assert_wrong(1, [at(0, 1, placed(1)), at(2, 3, missed)]);
    }
}

#[test]
fn a_list_after_a_take_shows_the_order_taken() {
    let stale = listed(&[free(1)]);
    assert_wrong(2, [at(0, 1, placed(1)), at(2, 3, won(1)), at(4, 5, stale)]);
}

#[test]
fn a_list_during_a_take_shows_either() {
    for row in [free(1), taken(1)] {
        assert_explained([at(0, 1, placed(1)), at(2, 5, won(1)), at(3, 4, listed(&[row]))]);
    }
}

#[test]
fn an_order_shown_taken_is_not_shown_free_again() {
    let show = |row, began| at(began, began + 1, shown(row));
    let take = || [at(0, 1, placed(1)), at(2, 9, won(1))];
    let [place, won] = take();
    assert_explained([place, won, show(free(1), 3), show(taken(1), 5)]);
    let [place, won] = take();
    assert_wrong(3, [place, won, show(taken(1), 3), show(free(1), 5)]);
}

#[test]
fn two_lists_agree_on_which_take_came_first() {
    let during_both = [
        at(0, 1, placed(1)),
        at(2, 3, placed(2)),
        at(4, 9, won(1)),
        at(4, 9, won(2)),
        at(5, 7, listed(&[free(2), taken(1)])),
        at(6, 8, listed(&[taken(2), free(1)])),
    ];
    assert_wrong(5, during_both);
}

#[test]
fn an_order_is_locked_only_during_another_take() {
    let locked = |began| at(began, began + 1, What::Took(1, Outcome::Locked));
    assert_explained([at(0, 1, placed(1)), at(2, 5, won(1)), locked(3)]);
    assert_wrong(1, [at(0, 1, placed(1)), locked(2), at(4, 5, won(1))]);
    assert_wrong(2, [at(0, 1, placed(1)), at(2, 3, won(1)), locked(4)]);
    let other = [at(0, 1, placed(1)), at(0, 1, placed(2)), at(2, 5, won(2))];
    let [first, second, won] = other;
    assert_wrong(2, [first, second, locked(3), won]);
    assert_wrong(0, [locked(0), at(0, 2, What::Took(1, Outcome::NotFound))]);
}

#[test]
fn a_locked_take_leaves_the_order_free() {
    let locked = at(2, 4, What::Took(1, Outcome::Locked));
    assert_explained([
        at(0, 1, placed(1)),
        locked,
        at(3, 6, won(1)),
        at(5, 7, shown(free(1))),
    ]);
}

#[test]
fn an_order_is_free_when_it_is_placed() {
    assert_wrong(0, [at(0, 1, What::Placed(taken(1)))]);
}

#[test]
fn ids_grow_and_are_unique() {
    assert_wrong(1, [at(0, 1, placed(2)), at(2, 3, placed(1))]);
    assert_wrong(1, [at(0, 2, placed(1)), at(1, 3, placed(1))]);
}

#[test]
fn ids_of_concurrent_orders_come_in_any_order() {
    for (first, second) in [(1, 2), (2, 1)] {
        let seen = at(3, 4, listed(&[free(first)]));
        let both = listed(&[free(2), free(1)]);
        assert_explained([at(0, 5, placed(1)), at(0, 5, placed(2)), seen, at(6, 7, both)]);
        let seen = at(3, 4, listed(&[free(first)]));
        assert_explained([at(0, 2, placed(first)), at(1, 5, placed(second)), seen]);
    }
}

#[test]
fn a_list_is_newest_first_and_has_the_distance() {
    let both = || [at(0, 1, placed(1)), at(2, 3, placed(2))];
    let longer = Row {
        distance: 7,
        ..free(2)
    };
    for rows in [[free(1), free(2)], [longer, free(1)]] {
        let [first, second] = both();
        assert_wrong(2, [first, second, at(4, 5, listed(&rows))]);
    }
}

#[test]
fn an_answer_outside_the_contract_is_never_explained() {
    assert_wrong(0, [at(0, 1, What::Odd("500".to_owned()))]);
}

#[test]
fn irrelevant_operations_are_left_out() {
    let history = [
        at(0, 1, placed(1)),
        at(0, 1, placed(2)),
        at(2, 3, listed(&[free(2), free(1)])),
        at(4, 5, What::Shown(1, None)),
        at(4, 6, won(2)),
        at(4, 6, What::Took(3, Outcome::NotFound)),
    ];
    let left = unexplained(history.to_vec()).unwrap().history;
    assert_eq!(left, [history[0].clone(), history[3].clone()]);
}

#[test]
fn operations_that_make_a_list_wrong_are_kept() {
    let places = [1, 2, 3].map(|id| at(0, 1, placed(id)));
    for (list, first) in [(second_page(&[free(3)]), 0), (listed(&[free(3), taken(2)]), 1)] {
        let history = [&places[..], &[at(2, 3, list), at(2, 4, won(3))]].concat();
        let left = unexplained(history.clone()).unwrap().history;
        assert_eq!(left, history[first..]);
    }
}

#[test]
fn a_change_in_flight_that_others_have_seen_is_kept() {
    let history = [
        at(0, 1, placed(1)),
        at(3, 4, shown(taken(1))),
        at(5, 6, shown(free(1))),
        at(2, 9, won(1)),
    ];
    assert_eq!(unexplained(history.to_vec()).unwrap().history, history);
}
