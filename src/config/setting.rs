//! What one row of the table says, and which values it allows.

use std::str::FromStr;

/// A variable: its name, its values, and what it means.
#[derive(Debug)]
pub struct Setting {
    pub(super) name: &'static str,
    pub(super) reader: Reader,
    pub(super) kind: Kind,
    pub(super) default: Default,
    /// Sentences for `.env.example` and the docs.
    pub(super) meaning: &'static str,
}

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// `order-api` itself, however it is run.
    Service,
    /// The scripts that write Nginx's configuration.
    Nginx,
    /// Docker Compose and the containers other than the service's.
    Containers,
}

/// Which values it may have.
#[derive(Debug)]
pub(super) enum Kind {
    /// A whole number of this unit, from the one to the other.
    Whole(&'static str, u64, u64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// What it says here.
    Text(&'static str),
    /// What it says here, never shown.
    Secret(&'static str),
}

/// What holds where it is not set.
#[derive(Debug)]
pub(super) enum Default {
    /// This value.
    Is(&'static str),
    /// What it says here, which is not a value.
    Unset(&'static str),
    /// The program stops.
    Required,
}

impl Setting {
    /// What a value has to be, for an error and for the docs.
    pub(super) fn expected(&self) -> String {
        match self.kind {
            Kind::Whole(_, from, to) => format!("a whole number from {from} to {to}"),
            Kind::OneOf(words) => format!("one of {}", words.join(", ")),
            Kind::Text(what) | Kind::Secret(what) => what.to_owned(),
        }
    }

    /// The number that this text is, if it is in the range.
    pub(super) fn number<T: FromStr>(&self, text: &str) -> Option<T> {
        let Kind::Whole(_, from, to) = self.kind else {
            return None;
        };
        let in_range = (from..=to).contains(&text.parse::<u64>().ok()?);
        text.parse().ok().filter(|_| in_range)
    }

    /// The word of the table that this text is.
    pub(super) fn word(&self, text: &str) -> Option<&'static str> {
        match self.kind {
            Kind::OneOf(words) => words.iter().copied().find(|word| *word == text),
            Kind::Whole(..) | Kind::Text(_) | Kind::Secret(_) => None,
        }
    }

    /// Whether nobody may see this value of it: an address may hold a password.
    pub(super) fn hides(&self, value: &str) -> bool {
        matches!(self.kind, Kind::Secret(_)) || value.contains('@')
    }

    /// The value that holds where it is not set.
    pub(super) fn default(&self) -> Option<&'static str> {
        match self.default {
            Default::Is(value) => Some(value),
            Default::Unset(_) | Default::Required => None,
        }
    }
}
