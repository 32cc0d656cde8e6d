//! Handwritten histories in which a client does not know the outcome.

use super::by_hand::{assert_explained, assert_wrong, at, free, listed, placed, shown, taken, won};
use super::operation::{Operation, Outcome, Row, What, table};

/// A change of unknown outcome.
fn unknown(began: u64, what: What) -> Operation {
    Operation {
        ended: Operation::NEVER,
        ..at(began, 0, what)
    }
}

/// A place that created this order, or none.
fn unheard(began: u64, row: Row) -> Operation {
    let distance = row.distance;
    unknown(began, What::Unheard { distance })
}

fn maybe_taken(began: u64, id: i64) -> Operation {
    unknown(began, What::MayHaveTaken(id))
}

fn after(after: i64, rows: &[Row]) -> What {
    What::ListedAfter {
        after,
        limit: 2,
        rows: rows.to_vec(),
    }
}

#[test]
fn a_place_of_unknown_outcome_happens_early_late_or_never() {
    let place = || unheard(0, free(1));
    assert_explained([place(), at(2, 3, listed(&[free(1)]))]);
    assert_explained([place(), at(2, 3, listed(&[])), at(4, 5, listed(&[free(1)]))]);
    assert_explained([place(), at(2, 3, listed(&[])), at(4, 5, listed(&[]))]);
}

#[test]
fn a_place_of_unknown_outcome_is_not_undone() {
    let seen = at(2, 3, listed(&[free(1)]));
    assert_wrong(2, [unheard(0, free(1)), seen, at(4, 5, listed(&[]))]);
}

#[test]
fn a_place_of_unknown_outcome_does_not_happen_before_its_request() {
    assert_wrong(0, [at(0, 1, listed(&[free(1)])), unheard(2, free(1))]);
}

#[test]
fn a_place_of_unknown_outcome_happens_once() {
    let again = Row { id: 2, ..free(1) };
    assert_wrong(1, [unheard(0, free(1)), at(2, 3, listed(&[again, free(1)]))]);
}

#[test]
fn a_refused_place_did_not_happen() {
    assert_wrong(1, [at(0, 1, placed(1)), at(2, 3, listed(&[free(2), free(1)]))]);
}

#[test]
fn an_order_of_unknown_outcome_is_taken_like_any_other() {
    assert_explained([
        unheard(0, free(1)),
        at(2, 3, won(1)),
        at(4, 5, listed(&[taken(1)])),
    ]);
}

#[test]
fn a_take_of_unknown_outcome_happens_early_late_or_never() {
    let begin = || (at(0, 1, placed(1)), maybe_taken(2, 1));
    let (place, take) = begin();
    assert_explained([place, take, at(3, 4, shown(taken(1)))]);
    let (place, take) = begin();
    assert_explained([place, take, at(3, 4, shown(free(1))), at(5, 6, shown(taken(1)))]);
    let (place, take) = begin();
    assert_explained([place, take, at(3, 4, shown(free(1))), at(5, 6, won(1))]);
    let (place, take) = begin();
    assert_explained([place, take, at(3, 4, What::Took(1, Outcome::Taken))]);
}

#[test]
fn a_take_of_unknown_outcome_does_not_both_happen_and_not_happen() {
    let begin = || (at(0, 1, placed(1)), maybe_taken(2, 1), at(3, 4, shown(taken(1))));
    let (place, take, seen) = begin();
    assert_wrong(3, [place, take, seen, at(5, 6, shown(free(1)))]);
    let (place, take, seen) = begin();
    assert_wrong(3, [place, take, seen, at(5, 6, won(1))]);
}

#[test]
fn a_take_of_unknown_outcome_excuses_no_second_winner() {
    let begin = [at(0, 1, placed(1)), maybe_taken(2, 1), at(3, 4, won(1))];
    let [place, take, first] = begin;
    assert_wrong(3, [place, take, first, at(5, 6, won(1))]);
}

#[test]
fn a_lost_order_is_found_among_unknown_outcomes() {
    let unknown = || [unheard(0, free(2)), maybe_taken(0, 1), maybe_taken(0, 2)];
    let [one, two, three] = unknown();
    let place = at(1, 2, placed(1));
    assert_wrong(4, [one, two, three, place, at(3, 4, listed(&[free(2)]))]);
    let [one, two, three] = unknown();
    let (place, take) = (at(1, 2, placed(3)), at(3, 4, won(3)));
    let stale = at(5, 6, listed(&[free(3), free(2)]));
    assert_wrong(5, [one, two, three, place, take, stale]);
}

#[test]
fn an_order_is_locked_during_a_take_of_unknown_outcome() {
    let locked = at(3, 4, What::Took(1, Outcome::Locked));
    assert_explained([at(0, 1, placed(1)), maybe_taken(2, 1), locked]);
}

#[test]
fn a_list_after_an_order_has_only_older_ones() {
    let places = || [1, 2, 3].map(|id| at(0, 1, placed(id)));
    for (id, rows) in [
        (4, vec![free(3), free(2)]),
        (3, vec![free(2), free(1)]),
        (2, vec![free(1)]),
        (1, vec![]),
    ] {
        let [one, two, three] = places();
        assert_explained([one, two, three, at(2, 3, after(id, &rows))]);
    }
    for rows in [vec![free(3), free(2)], vec![free(2)], vec![free(1), free(2)]] {
        let [one, two, three] = places();
        assert_wrong(3, [one, two, three, at(2, 3, after(3, &rows))]);
    }
}

#[test]
fn a_table_shows_unknown_outcomes() {
    let history = [maybe_taken(2, 1), at(3, 4, after(2, &[free(1)]))];
    let table = table(&history);
    assert!(table.contains("-  take 1, outcome unknown"), "{table}");
    assert!(table.contains("list 2 after 2: 1 (100 m)"), "{table}");
}
