//! `/orders`, one file per verb.

mod held;
mod history;
mod lanes;
mod list;
mod list_after;
mod list_slow;
mod place;
mod provider;
mod race;
mod show;
mod take;
