//! `/orders`, a file a verb.

mod list;
mod place;
mod race;
mod show;
mod take;
