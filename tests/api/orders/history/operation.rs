//! One client's request, its time, and its answer; a history of such operations as a table.

use std::fmt;
use std::slice;
use std::time::Duration;

use serde::Deserialize;

#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub client: usize,
    pub instance: usize,
    /// Just before the request was sent, since the history began.
    pub began: Duration,
    /// Just after the answer was read; never, if the outcome is unknown.
    pub ended: Duration,
    pub what: What,
}

impl Operation {
    pub const NEVER: Duration = Duration::MAX;
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Placed(Row),
    Took(i64, Outcome),
    /// The outcome is unknown: whether it happened, when, and with which id.
    Unheard {
        distance: i64,
    },
    /// The same, for an order that some client has seen; see [`settled`].
    MayHavePlaced(Row),
    /// The outcome is unknown.
    MayHaveTaken(i64),
    Shown(i64, Option<Row>),
    Listed {
        page: usize,
        limit: usize,
        rows: Vec<Row>,
    },
    ListedAfter {
        after: i64,
        limit: usize,
        rows: Vec<Row>,
    },
    /// An answer outside the contract.
    Odd(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Won,
    Taken,
    Locked,
    NotFound,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Row {
    pub id: i64,
    pub distance: i64,
    pub status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Unassigned,
    Taken,
}

impl What {
    /// Whether it changes the store.
    pub fn changes(&self) -> bool {
        self.is_unknown() || matches!(self, Self::Placed(_) | Self::Took(_, Outcome::Won))
    }

    /// Whether it may have happened at any time since it began, or not.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::Unheard { .. } | Self::MayHavePlaced(_) | Self::MayHaveTaken(_)
        )
    }

    /// The order that it concerns.
    pub fn order(&self) -> Option<i64> {
        match self {
            Self::Placed(row) | Self::MayHavePlaced(row) => Some(row.id),
            Self::Took(id, _) | Self::MayHaveTaken(id) | Self::Shown(id, _) => Some(*id),
            Self::Unheard { .. } | Self::Listed { .. } | Self::ListedAfter { .. } | Self::Odd(_) => None,
        }
    }

    /// Whether no other answer depends on it.
    pub fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Shown(..) | Self::Listed { .. } | Self::ListedAfter { .. }
        )
    }

    /// The orders that appear in an answer.
    fn rows(&self) -> &[Row] {
        match self {
            Self::Shown(_, Some(row)) => slice::from_ref(row),
            Self::Listed { rows, .. } | Self::ListedAfter { rows, .. } => rows,
            _ => &[],
        }
    }
}

/// The history in which each place of unknown outcome has the id of its order, identified by its distance, which
/// is unique in the history. An order that no client has seen is left out: it explains nothing.
pub fn settled(mut history: Vec<Operation>) -> Vec<Operation> {
    let seen: Vec<Row> = history
        .iter()
        .flat_map(|operation| operation.what.rows())
        .copied()
        .collect();
    for operation in &mut history {
        let What::Unheard { distance } = operation.what else {
            continue;
        };
        if let Some(row) = seen.iter().find(|row| row.distance == distance) {
            operation.what = What::MayHavePlaced(Row {
                status: Status::Unassigned,
                ..*row
            });
        }
    }
    history.retain(|operation| !matches!(operation.what, What::Unheard { .. }));
    history
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.status == Status::Taken {
            " taken"
        } else {
            ""
        };
        write!(f, "{} ({} m{mark})", self.id, self.distance)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placed(row) => write!(f, "place: {row}"),
            Self::Took(id, outcome) => write!(f, "take {id}: {outcome:?}"),
            Self::Shown(id, Some(row)) => write!(f, "show {id}: {row}"),
            Self::Shown(id, None) => write!(f, "show {id}: NotFound"),
            Self::Listed { page, limit, rows } => {
                write!(f, "list page {page} of {limit}:")?;
                rows.iter().try_for_each(|row| write!(f, " {row}"))
            }
            Self::ListedAfter { after, limit, rows } => {
                write!(f, "list {limit} after {after}:")?;
                rows.iter().try_for_each(|row| write!(f, " {row}"))
            }
            Self::Unheard { distance } => write!(f, "place, outcome unknown: {distance} m"),
            Self::MayHavePlaced(row) => write!(f, "place, outcome unknown: {row}"),
            Self::MayHaveTaken(id) => write!(f, "take {id}, outcome unknown"),
            Self::Odd(answer) => f.write_str(answer),
        }
    }
}

/// One line per operation, in the order of their beginnings.
pub fn table(history: &[Operation]) -> String {
    let mut sorted: Vec<_> = history.iter().collect();
    sorted.sort_by_key(|operation| operation.began);
    let mut lines = "client instance began/µs ended/µs".to_owned();
    for operation in sorted {
        let began = operation.began.as_micros();
        let ended = if operation.ended == Operation::NEVER {
            "-".to_owned()
        } else {
            operation.ended.as_micros().to_string()
        };
        let (client, instance, what) = (operation.client, operation.instance, &operation.what);
        lines += &format!("\n{client:6} {instance:8} {began:8} {ended:>8}  {what}");
    }
    lines
}
