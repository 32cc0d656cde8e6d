//! The readable table: complete on standard output, and rounded in `docs/RELIABILITY.md`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::time::Duration;

use crate::episode::Episode;
use crate::measured::{Measured, Verdict};
use crate::operations::Group;
use crate::rules;
use crate::table::Dependency::{Postgres, Provider, Redis, Service};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RELIABILITY.md");

/// This file writes what is between them.
const MARKS: [&str; 2] = ["<!-- make reliability -->\n", "<!-- end -->\n"];

const COLUMNS: [(&str, Group); 6] = [
    ("place, take", Group::Changes),
    ("show, list", Group::Reads),
    ("queue", Group::Queue),
    ("queues", Group::Queues),
    ("key-value", Group::Keys),
    ("health, metrics, logs", Group::Health),
];

/// The complete record of an episode.
pub fn in_full(episode: &Episode) -> String {
    let mut text = format!("== {} {}\n", episode.row.0.name(), episode.row.1);
    for (_, measured) in &episode.operations {
        write!(text, "{:50}", measured.route).unwrap();
        write!(text, " before {:>5} ms,", measured.slowest_before.as_millis()).unwrap();
        write!(text, " slowest {:>5} ms,", measured.slowest.as_millis()).unwrap();
        write!(text, " well after {:>5} ms:", measured.well_after.as_millis()).unwrap();
        for (verdict, count) in &measured.replies {
            let what = match verdict {
                Verdict::Good => "good",
                Verdict::Refused(how) | Verdict::Wrong(how) => how,
            };
            write!(text, " {count} {what},").unwrap();
        }
        text.push('\n');
    }
    let audit = &episode.audit;
    let (lost, twice) = (audit.lost.len(), audit.taken_twice);
    writeln!(
        text,
        "acknowledged {}, lost {lost}, taken twice {twice}",
        audit.acknowledged
    )
    .unwrap();
    for (line, count) in &episode.log {
        writeln!(text, "log: {count} times {line}").unwrap();
    }
    for rule in rules::broken(episode) {
        writeln!(text, "RED: {rule}").unwrap();
    }
    text
}

/// Writes the tables between the marks of the page.
pub fn write(episodes: &[Episode]) {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (_, after) = rest.split_once(MARKS[1]).unwrap();
    let [begin, end] = MARKS;
    let written = format!("{before}{begin}{}\n{end}{after}", tables(episodes));
    fs::write(PAGE, written).unwrap();
}

fn tables(episodes: &[Episode]) -> String {
    let mut text = String::new();
    for dependency in [Postgres, Redis, Provider, Service] {
        let names = COLUMNS.map(|(name, _)| name).join(" | ");
        let figures = "slowest answer | recovery | confirmed changes | lost | twice";
        write!(
            text,
            "\n## {}\n\n| fault | {names} | {figures} |\n|",
            dependency.name()
        )
        .unwrap();
        text += &" --- |".repeat(COLUMNS.len() + 6);
        text.push('\n');
        for episode in episodes.iter().filter(|episode| episode.row.0 == dependency) {
            text += &row(episode);
        }
    }
    text
}

fn row(episode: &Episode) -> String {
    let mut cells = vec![episode.row.1.to_string()];
    cells.extend(COLUMNS.map(|(_, group)| what_clients_got(episode, group)));
    let longest = |of: fn(&Measured) -> Duration| {
        let all = episode.operations.iter().map(|(_, measured)| of(measured));
        all.max().unwrap_or_default()
    };
    cells.push(rounded_up(longest(|measured| measured.slowest)));
    cells.push(rounded_up(longest(|measured| measured.well_after)));
    cells.push(rounded_down(episode.audit.acknowledged));
    cells.push(episode.audit.lost.len().to_string());
    cells.push(episode.audit.taken_twice.to_string());
    format!("| {} |\n", cells.join(" | "))
}

/// The codes of all refusals, if any.
fn what_clients_got(episode: &Episode, group: Group) -> String {
    let of_group = episode.operations.iter().filter(|(_, one)| one.group == group);
    let codes: BTreeSet<&str> = of_group.flat_map(|(_, one)| one.refusals()).collect();
    let code = |how: &str| match how.split_once(' ') {
        Some((status, _)) if group == Group::Health => format!("`{status}` from its checks"),
        Some((_, code)) => format!("`{code}`"),
        None => how.to_owned(),
    };
    let codes: BTreeSet<String> = codes.into_iter().map(code).collect();
    if codes.is_empty() {
        return "unaffected".to_owned();
    }
    codes.into_iter().collect::<Vec<_>>().join(", ")
}

fn rounded_up(time: Duration) -> String {
    let limits = [0.5, 1.0, 2.0, 3.0];
    let limit = limits.into_iter().find(|limit| time.as_secs_f64() < *limit);
    limit.map_or_else(|| format!("{time:.1?}"), |limit| format!("< {limit} s"))
}

/// Rounds down to one significant digit.
fn rounded_down(number: usize) -> String {
    let unit = 10_usize.pow(number.checked_ilog10().unwrap_or_default());
    format!("> {}", number / unit * unit)
}
