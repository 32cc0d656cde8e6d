//! Reads the newest lines of the log's files, newest file first.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Deserialize;
use tracing::Level;

use crate::http::RequestId;
use crate::telemetry::logs::newest_first;

/// Longer lines, which the service does not write, are left out.
const LINE_MAX: usize = 64 * 1024;
/// The maximum of bytes read at the end of a file; more than it has, unless another program has written it.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// The requested lines.
pub(super) struct Wanted {
    /// The maximum of lines.
    pub(super) lines: usize,
    /// The minimum severity.
    pub(super) level: Option<Level>,
    /// Only lines of this request.
    pub(super) request_id: Option<RequestId>,
}

/// The newest matching lines, the oldest of them first; empty without files.
pub(super) fn newest(directory: &Path, wanted: &Wanted) -> io::Result<String> {
    let quoted = match &wanted.request_id {
        Some(id) => serde_json::to_string(id.as_str())?,
        None => String::new(),
    };
    let mut found: Vec<String> = Vec::new();
    for file in open(directory)? {
        let text = read(file)?;
        // After the last line break is a line that is still being written.
        let lines = text.rsplit(|byte| *byte == b'\n').skip(1);
        let lines = lines.filter(|line| (1..=LINE_MAX).contains(&line.len()) && wanted.admits(line, &quoted));
        let lines = lines.take(wanted.lines - found.len());
        found.extend(lines.map(|line| String::from_utf8_lossy(line).into_owned() + "\n"));
        if found.len() == wanted.lines {
            break;
        }
    }
    found.reverse();
    Ok(found.concat())
}

/// All existing files, the newest first. They are opened before any is read, so a later rotation does not affect
/// them. One in between only makes a file appear twice, which its inode shows.
fn open(directory: &Path) -> io::Result<Vec<File>> {
    let (mut files, mut seen) = (Vec::new(), Vec::new());
    for path in newest_first(directory) {
        let file = match File::open(path) {
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

fn read(mut file: File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let start = file.metadata()?.len().saturating_sub(FILE_MAX);
    file.seek(SeekFrom::Start(start))?;
    file.take(FILE_MAX).read_to_end(&mut text)?;
    Ok(text)
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    level: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
}

impl Wanted {
    /// Without a filter every line matches, JSON or not. Searching for the id in JSON avoids parsing most lines.
    fn admits(&self, line: &[u8], quoted: &str) -> bool {
        if self.level.is_none() && self.request_id.is_none() {
            return true;
        }
        str::from_utf8(line).is_ok_and(|line| line.contains(quoted) && self.admits_fields(line))
    }

    fn admits_fields(&self, line: &str) -> bool {
        serde_json::from_str::<Fields<'_>>(line).is_ok_and(|fields| {
            let level: Result<Level, _> = fields.level.parse();
            let id = fields.request_id.as_deref();
            level.is_ok_and(|level| self.level.is_none_or(|least| level <= least))
                && self
                    .request_id
                    .as_ref()
                    .is_none_or(|wanted| id == Some(wanted.as_str()))
        })
    }
}

#[cfg(test)]
mod tests;
