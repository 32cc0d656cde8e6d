//! What was measured, in Markdown: medians over the rounds, and in parentheses the lowest and the highest.

use std::fs;

use crate::load::{By, Sample};
use crate::request::Request;
use crate::stack::PARTS;
use crate::{OTHER_BUILD, Result};

/// A request, who is asked, and what was measured in each round.
pub struct Row {
    pub request: &'static Request,
    pub by: By,
    pub connections: u32,
    /// So many times the rate of the best peer is aimed at; 0 where nothing is.
    pub aim: f64,
    pub samples: Vec<Sample>,
}

impl Row {
    pub fn new(request: &'static Request, by: &By, connections: u32, aim: f64) -> Self {
        Self {
            request,
            by: by.clone(),
            connections,
            aim,
            samples: Vec::new(),
        }
    }

    /// Whether others are held against it.
    fn is_peer(&self) -> bool {
        matches!(self.by, By::Pgbench(..) | By::Webdis | By::Http(OTHER_BUILD, _))
    }

    fn all(&self, of: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(of).collect()
    }

    fn rate(&self) -> f64 {
        median(&self.all(|sample| sample.rate))
    }

    fn cpu(&self, part: usize) -> f64 {
        median(&self.all(|sample| sample.cpu.get(part).copied().unwrap_or(0.0)))
    }

    /// Of the rates to those of the best peer, of each round on its own: what disturbs a round disturbs both.
    fn ratios(&self, rows: &[Self]) -> Vec<f64> {
        let is_peer = |row: &&Self| row.is_peer() && row.request.name == self.request.name && !self.is_peer();
        let alike = |row: &&Self| row.connections == self.connections || !matches!(row.by, By::Http(..));
        let peers = rows.iter().filter(is_peer).filter(alike);
        let Some(best) = peers.max_by(|one, other| one.rate().total_cmp(&other.rate())) else {
            return Vec::new();
        };
        let rounds = self.samples.iter().zip(&best.samples);
        rounds.map(|(ours, theirs)| ours.rate / theirs.rate).collect()
    }
}

pub fn table(rows: &[Row]) -> String {
    let used = |part: &usize| rows.iter().any(|row| row.cpu(*part) >= 0.5);
    let parts: Vec<_> = PARTS.iter().enumerate().filter(|(part, _)| used(part)).collect();
    let names: String = parts.iter().map(|(_, (name, _))| format!(" {name} |")).collect();
    let lines = " --- |".repeat(8 + parts.len());
    let heading = "| request | by | connections | per second | ratio | aim | p50, ms | p99, ms |";
    let mut text = format!("{heading}{}\n|{lines}\n", names.replacen(' ', " CPU, µs: ", 1));
    for row in rows {
        let ratios = row.ratios(rows);
        let p50 = median(&row.all(|sample| sample.p50));
        let p99 = median(&row.all(|sample| sample.p99));
        let aim = match row.connections {
            _ if row.aim > 0.0 => met(median(&ratios) >= row.aim, &row.aim.to_string()),
            256 => met(p99 < 25.0, "p99 < 25 ms"),
            _ => String::new(),
        };
        let (request, by, connections) = (row.request.name, row.by.name(), row.connections);
        let (rates, ratios) = (spread(&row.all(|sample| sample.rate), 0), spread(&ratios, 2));
        text += &format!(
            "| {request} | {by} | {connections} | {rates} | {ratios} | {aim} | {p50:.2} | {p99:.1} |"
        );
        text.extend(parts.iter().map(|(part, _)| format!(" {:.0} |", row.cpu(*part))));
        text += "\n";
    }
    text
}

pub fn met(yes: bool, aim: &str) -> String {
    format!("{aim}: {}", if yes { "met" } else { "**missed**" })
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    f64::midpoint(at(sorted.len().saturating_sub(1) / 2), at(sorted.len() / 2))
}

fn spread(values: &[f64], digits: usize) -> String {
    let lowest = values.iter().copied().reduce(f64::min);
    let highest = values.iter().copied().reduce(f64::max);
    let (Some(lowest), Some(highest), median) = (lowest, highest, median(values)) else {
        return String::new();
    };
    format!("{median:.digits$} ({lowest:.digits$} to {highest:.digits$})")
}

/// Tells the machine, and the versions of everything that takes part.
pub const MACHINE: &str = r#"echo "$(date +%F), commit $(git describe --always --dirty --exclude '*' 2>&1): $(nproc) cores of" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)," \
    "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB, Linux $(uname -r);" \
    "$(pgbench --version), $(redis-server --version | sed 's/ sha.*//')," \
    "$(nginx -v 2>&1 | sed 's/.*: //'), $(wrk --version 2>&1 | sed -n '1s/^\(wrk [^ ]*\).*/\1/p')," \
    "Webdis $(dpkg-query --show --showformat='${Version}' webdis 2>&1), $(rustc --version)""#;

/// Puts the text between the marks of the page.
pub fn publish(text: &str) -> Result<()> {
    const PAGE: &str = "bench/README.md";
    const MARKS: [&str; 2] = ["<!-- tables -->\n", "<!-- end of the tables -->"];
    let whole = fs::read_to_string(PAGE)?;
    let (before, rest) = whole.split_once(MARKS[0]).ok_or("the page has no mark")?;
    let (_, after) = rest.split_once(MARKS[1]).ok_or("the page has no second mark")?;
    let page = format!("{before}{}\n{text}\n{}{after}", MARKS[0], MARKS[1]);
    Ok(fs::write(PAGE, page)?)
}
