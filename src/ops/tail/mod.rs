//! Reads the newest lines of `app.log`, from its end backwards, and of the older files when they are needed.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use serde::Deserialize;
use tracing::Level;

use crate::http::RequestId;
use crate::telemetry::logs::{APP_LOG, KEPT};

/// Bytes that are read at once.
const BLOCK: u64 = 64 * 1024;
/// A line that is longer, which none of ours is, is left out.
const LINE_MAX: usize = 64 * 1024;
/// Bytes that are looked through at most; more than all files have, unless somebody else has written them.
const READ_MAX: u64 = 64 * 1024 * 1024;

/// Which lines are asked for.
pub(super) struct Wanted {
    /// As many at most.
    pub(super) lines: usize,
    /// This severe at least.
    pub(super) level: Option<Level>,
    /// Of this request alone.
    pub(super) request_id: Option<RequestId>,
}

/// The newest lines that are wanted, the oldest of them first; nothing where there is no file.
pub(super) fn newest(directory: &Path, wanted: &Wanted) -> io::Result<String> {
    let mut lines = look(directory, wanted)?.lines;
    lines.reverse();
    let mut text = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    Ok(String::from_utf8(text)
        .unwrap_or_else(|garbage| String::from_utf8_lossy(garbage.as_bytes()).into_owned()))
}

/// What was found, the newest first, and how many bytes were read for it.
#[derive(Default)]
struct Found {
    lines: Vec<Vec<u8>>,
    read: u64,
}

fn look(directory: &Path, wanted: &Wanted) -> io::Result<Found> {
    let filter = Filter::new(wanted);
    let mut found = Found::default();
    for file in open(directory)? {
        let mut lines = Backwards::new(file)?;
        while found.lines.len() < wanted.lines && found.read + lines.read < READ_MAX {
            match lines.next()? {
                Some(line) if filter.admits(&line) => found.lines.push(line),
                Some(_) => {}
                None => break,
            }
        }
        found.read += lines.read;
    }
    Ok(found)
}

/// All files there are, the newest first. They are opened before any is read: a rotation from then on moves
/// nothing away, and one in between only makes a file appear twice, which its number on the disk shows.
fn open(directory: &Path) -> io::Result<Vec<File>> {
    let (mut files, mut seen) = (Vec::new(), Vec::new());
    for age in 0..=KEPT {
        let name = match age {
            0 => APP_LOG.to_owned(),
            _ => format!("{APP_LOG}.{age}"),
        };
        let file = match File::open(directory.join(name)) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            opened => opened?,
        };
        let about = file.metadata()?;
        let identity = (about.dev(), about.ino());
        if about.is_file() && !seen.contains(&identity) {
            seen.push(identity);
            files.push(file);
        }
    }
    Ok(files)
}

/// The whole lines of a file, the last one first.
struct Backwards {
    file: File,
    /// What lies before it has not been read.
    start: u64,
    /// What has been read from there on and was not given yet.
    tail: Vec<u8>,
    /// The end of the tail is no whole line: one that is being written, or the rest of one that is too long.
    cut: bool,
    read: u64,
}

impl Backwards {
    fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            start: file.metadata()?.len(),
            file,
            tail: Vec::new(),
            cut: true,
            read: 0,
        })
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let line = match self.tail.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = self.tail.split_off(end + 1);
                    self.tail.truncate(end);
                    line
                }
                None if self.start > 0 => {
                    self.read_block()?;
                    continue;
                }
                None if self.tail.is_empty() => return Ok(None),
                None => std::mem::take(&mut self.tail),
            };
            let whole = !std::mem::replace(&mut self.cut, false);
            if whole && !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn read_block(&mut self) -> io::Result<()> {
        if self.tail.len() > LINE_MAX {
            self.tail.clear();
            self.cut = true;
        }
        let start = self.start.saturating_sub(BLOCK);
        let mut block = vec![0; usize::try_from(self.start - start).unwrap_or_default()];
        self.read += self.start - start;
        self.start = start;
        match self.file.read_exact_at(&mut block, start) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                // Somebody has emptied the file meanwhile.
                self.start = 0;
                block.clear();
                self.tail.clear();
            }
            read => read?,
        }
        block.append(&mut self.tail);
        self.tail = block;
        Ok(())
    }
}

/// As the log writes them, the most severe first.
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

struct Filter<'a> {
    /// All of them, or those that are severe enough.
    levels: &'static [&'static str],
    request_id: Option<&'a str>,
    /// The id as JSON writes it: most lines do not even have that.
    quoted: String,
    everything: bool,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    level: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
}

impl<'a> Filter<'a> {
    fn new(wanted: &'a Wanted) -> Self {
        let least = wanted.level.map(|level| level.as_str());
        let severe = LEVELS.iter().position(|name| Some(*name) == least);
        let request_id = wanted.request_id.as_ref().map(RequestId::as_str);
        Self {
            levels: severe.and_then(|last| LEVELS.get(..=last)).unwrap_or(&LEVELS),
            request_id,
            quoted: request_id
                .and_then(|id| serde_json::to_string(id).ok())
                .unwrap_or_default(),
            everything: wanted.level.is_none() && request_id.is_none(),
        }
    }

    /// Without a filter every line is wanted, JSON or not.
    fn admits(&self, line: &[u8]) -> bool {
        self.everything
            || str::from_utf8(line).is_ok_and(|line| self.may_admit(line) && self.admits_fields(line))
    }

    /// Spares most lines the parsing.
    fn may_admit(&self, line: &str) -> bool {
        line.contains(&self.quoted) && self.levels.iter().any(|name| line.contains(name))
    }

    fn admits_fields(&self, line: &str) -> bool {
        serde_json::from_str::<Fields<'_>>(line).is_ok_and(|fields| {
            self.levels.contains(&&*fields.level)
                && self
                    .request_id
                    .is_none_or(|id| fields.request_id.as_deref() == Some(id))
        })
    }
}

#[cfg(test)]
mod tests;
