//! One row of the table of settings, and the values that it allows.

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

/// Its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// `order-api` itself, in every deployment.
    Service,
    /// The scripts that write Nginx's configuration.
    Nginx,
    /// Docker Compose and the containers other than the service's.
    Containers,
}

/// The allowed values.
#[derive(Debug)]
pub(super) enum Kind {
    /// A whole number of this unit, in this range.
    Whole(&'static str, u64, u64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// As described here.
    Text(&'static str),
    /// As described here, never shown.
    Secret(&'static str),
}

/// The value of an unset variable.
#[derive(Debug)]
pub(super) enum Default {
    /// This value.
    Is(&'static str),
    /// As described here, which is not a value.
    Unset(&'static str),
    /// The program stops.
    Required,
}

impl Setting {
    /// The expected value, for errors and for the docs.
    pub(super) fn expected(&self) -> String {
        match self.kind {
            Kind::Whole(_, from, to) => format!("a whole number from {from} to {to}"),
            Kind::OneOf(words) => format!("one of {}", words.join(", ")),
            Kind::Text(what) | Kind::Secret(what) => what.to_owned(),
        }
    }

    /// The number in this text, if it is in the range.
    pub(super) fn number<T: FromStr>(&self, text: &str) -> Option<T> {
        let Kind::Whole(_, from, to) = self.kind else {
            return None;
        };
        let in_range = (from..=to).contains(&text.parse::<u64>().ok()?);
        text.parse().ok().filter(|_| in_range)
    }

    /// The word of the table that equals this text.
    pub(super) fn word(&self, text: &str) -> Option<&'static str> {
        match self.kind {
            Kind::OneOf(words) => words.iter().copied().find(|word| *word == text),
            Kind::Whole(..) | Kind::Text(_) | Kind::Secret(_) => None,
        }
    }

    /// Whether its value must be masked: an address may contain a password.
    pub(super) fn hides(&self, value: &str) -> bool {
        matches!(self.kind, Kind::Secret(_)) || value.contains('@')
    }

    /// The value if it is not set.
    pub(super) fn default(&self) -> Option<&'static str> {
        match self.default {
            Default::Is(value) => Some(value),
            Default::Unset(_) | Default::Required => None,
        }
    }
}
