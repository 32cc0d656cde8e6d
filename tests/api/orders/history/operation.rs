//! What one client asked, when, and what it was told; a history of such operations as a table.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub client: usize,
    pub instance: usize,
    /// Just before the request was sent, since the history began.
    pub began: Duration,
    /// Just after the answer was read whole.
    pub ended: Duration,
    pub what: What,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Placed(Row),
    Took(i64, Outcome),
    Shown(i64, Option<Row>),
    Listed {
        page: usize,
        limit: usize,
        rows: Vec<Row>,
    },
    /// What the contract does not know.
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
    /// Whether the store is another one afterwards.
    pub fn changes(&self) -> bool {
        matches!(self, Self::Placed(_) | Self::Took(_, Outcome::Won))
    }

    /// The one order that it is about.
    pub fn order(&self) -> Option<i64> {
        match self {
            Self::Placed(row) => Some(row.id),
            Self::Took(id, _) | Self::Shown(id, _) => Some(*id),
            Self::Listed { .. } | Self::Odd(_) => None,
        }
    }

    /// Whether no other answer depends on it.
    pub fn only_reads(&self) -> bool {
        matches!(self, Self::Shown(..) | Self::Listed { .. })
    }
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
            Self::Odd(answer) => f.write_str(answer),
        }
    }
}

/// One line an operation, in the order in which they began.
pub fn table(history: &[Operation]) -> String {
    let mut sorted: Vec<_> = history.iter().collect();
    sorted.sort_by_key(|operation| operation.began);
    let mut lines = "client instance began/µs ended/µs".to_owned();
    for operation in sorted {
        let (began, ended) = (operation.began.as_micros(), operation.ended.as_micros());
        let (client, instance, what) = (operation.client, operation.instance, &operation.what);
        lines += &format!("\n{client:6} {instance:8} {began:8} {ended:8}  {what}");
    }
    lines
}
