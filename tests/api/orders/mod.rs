//! `/orders`, a file a verb.

mod lanes;
mod list;
mod place;
mod race;
mod show;
mod take;
