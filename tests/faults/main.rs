//! Dependencies × faults × operations as one table, whose cells are judged by `rules.rs`.
//!
//! `make test-faults` runs it; `make reliability` also writes the result into `docs/RELIABILITY.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test that panics has failed, as it should, and the table is what it prints"
)]

#[allow(
    dead_code,
    unused_imports,
    reason = "the harness of tests/api, of which this needs a part"
)]
#[path = "../api/support/mod.rs"]
mod support;

mod audit;
mod client;
mod clock;
mod disk;
mod episode;
mod ledger;
mod measured;
mod operations;
mod page;
mod provider;
mod proxy;
mod rules;
mod server;
mod stage;
mod table;

use rocket::futures::StreamExt;
use rocket::futures::stream;
use rocket::tokio::runtime::Runtime;
use rocket::tokio::spawn;
use rocket::tokio::task::JoinError;

use crate::episode::Episode;
use crate::table::{Row, TABLE};

/// Concurrent episodes: one waits while the other works.
const AT_ONCE: usize = 2;

#[test]
fn no_cell_of_the_table_is_red() {
    let wanted = std::env::var("FAULTS").unwrap_or_default();
    let rows = TABLE
        .into_iter()
        .filter(|row| format!("{} {}", row.0.name(), row.1).contains(&wanted));
    let played = stream::iter(rows).map(play).buffered(AT_ONCE).collect();
    let played: Vec<(Row, Result<Episode, JoinError>)> = Runtime::new().unwrap().block_on(played);
    let (mut episodes, mut red) = (Vec::new(), Vec::new());
    for (row, episode) in played {
        let name = format!("{} {}", row.0.name(), row.1);
        match episode {
            Ok(episode) => {
                let broken = rules::broken(&episode).into_iter();
                red.extend(broken.map(|rule| format!("{name}: {rule}")));
                episodes.push(episode);
            }
            Err(error) => red.push(format!("{name}: {error}")),
        }
    }
    if std::env::var_os("WRITE_PAGE").is_some() && red.is_empty() && wanted.is_empty() {
        page::write(&episodes);
    }
    assert!(red.is_empty(), "{} red cells:\n{}", red.len(), red.join("\n"));
}

async fn play(row: Row) -> (Row, Result<Episode, JoinError>) {
    let episode = spawn(Episode::play(row)).await;
    if let Ok(episode) = &episode {
        println!("{}", page::in_full(episode));
    }
    (row, episode)
}
