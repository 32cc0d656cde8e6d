//! `/orders`, a file a verb.

mod history;
mod lanes;
mod list;
mod list_after;
mod place;
mod race;
mod show;
mod take;
