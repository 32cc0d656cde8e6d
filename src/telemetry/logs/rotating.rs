//! A log file that is rotated by size, and that several processes may share.
//!
//! Every process appends whole batches of lines (`O_APPEND`), so lines of several processes follow each other.
//! Before each batch it looks whether the file at the path is still the one it has open: after a rotation by
//! another process, or when somebody removed the file or the directory, it opens the one that should be there.
//! Opening and rotating happen under a lock on the directory (`flock`), so the size is judged by one at a time
//! and no two rotate for the same reason. Where a file system has no locks, two may: then a file is rotated early.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rolling_file::{BasicRollingFileAppender, RollingConditionBasic};

use super::KEPT;

pub(super) struct RotatingFile {
    path: PathBuf,
    size_max: u64,
    open: Option<Open>,
}

struct Open {
    file: BasicRollingFileAppender,
    identity: Identity,
}

/// The device, and the number of the file on it.
type Identity = (u64, u64);

impl RotatingFile {
    /// Opened with the first lines.
    pub(super) fn new(path: PathBuf, size_max: u64) -> Self {
        Self {
            path,
            size_max,
            open: None,
        }
    }

    /// The file that has room for so many bytes more.
    fn with_room_for(&mut self, more: u64) -> io::Result<Open> {
        let open = self.open.take();
        let found = fs::metadata(&self.path);
        if let (Some(open), Ok(found)) = (open, found)
            && open.identity == identity(&found)
            && self.has_room(&found, more)
        {
            return Ok(open);
        }
        self.open(more)
    }

    fn has_room(&self, file: &Metadata, more: u64) -> bool {
        file.len() == 0 || file.len().saturating_add(more) <= self.size_max
    }

    fn open(&self, more: u64) -> io::Result<Open> {
        let _lock = self.lock()?;
        // It never rotates by itself: it does not know of other processes.
        let mut file = BasicRollingFileAppender::new(&self.path, RollingConditionBasic::new(), KEPT)?;
        if !self.has_room(&fs::metadata(&self.path)?, more) {
            file.rollover()?;
        }
        let found = fs::metadata(&self.path)?;
        if ends_in_a_cut_line(&self.path, &found) {
            file.write_all(b"\n")?;
        }
        Ok(Open {
            file,
            identity: identity(&found),
        })
    }

    /// Held as long as the answer; makes the directory if there is none.
    fn lock(&self) -> io::Result<Option<File>> {
        let Some(directory) = self.path.parent() else {
            return Ok(None);
        };
        fs::create_dir_all(directory)?;
        Ok(File::open(directory)
            .and_then(|held| held.lock().map(|()| held))
            .ok())
    }
}

/// What a full disk or a power cut leaves; the next line must not be glued to it.
fn ends_in_a_cut_line(path: &Path, found: &Metadata) -> bool {
    let mut last = [b'\n'];
    if let (Some(end), Ok(file)) = (found.len().checked_sub(1), File::open(path)) {
        let _ = file.read_exact_at(&mut last, end);
    }
    last != [b'\n']
}

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino())
}

impl Write for RotatingFile {
    /// All of it or, told by an error, an unknown part.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let more = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let mut open = self.with_room_for(more)?;
        open.file.write_all(lines)?;
        open.file.flush()?;
        self.open = Some(open);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    use super::RotatingFile;

    fn file(directory: &Path, size_max: u64) -> RotatingFile {
        RotatingFile::new(directory.join("app.log"), size_max)
    }

    fn append(log: &mut RotatingFile, line: String) {
        log.write_all((line + "\n").as_bytes()).unwrap();
    }

    fn names(directory: &Path) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| name(entry.unwrap()))
            .collect();
        names.sort();
        names
    }

    fn content(directory: &Path, name: &str) -> String {
        fs::read_to_string(directory.join(name)).unwrap()
    }

    #[test]
    fn files_are_rotated_by_size_and_three_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = file(directory.path(), 20);
        for number in 10..30 {
            append(&mut log, format!("line {number}"));
        }
        assert_eq!(
            names(directory.path()),
            ["app.log", "app.log.1", "app.log.2", "app.log.3"]
        );
        assert_eq!(content(directory.path(), "app.log"), "line 28\nline 29\n");
        assert_eq!(content(directory.path(), "app.log.3"), "line 22\nline 23\n");
    }

    #[test]
    fn a_restart_goes_on_with_the_file_that_is_there() {
        let directory = tempfile::tempdir().unwrap();
        for number in 1..=3 {
            append(&mut file(directory.path(), 20), format!("line {number}"));
        }
        assert_eq!(content(directory.path(), "app.log"), "line 3\n");
        assert_eq!(content(directory.path(), "app.log.1"), "line 1\nline 2\n");
    }

    #[test]
    fn processes_that_share_a_file_lose_no_line_and_rotate_once() {
        let directory = tempfile::tempdir().unwrap();
        let mut sharing = [0, 1, 2].map(|_| file(directory.path(), 160));
        for number in 100..199 {
            append(&mut sharing[number % 3], number.to_string());
        }
        let files = names(directory.path());
        assert_eq!(files.len(), 3);
        let all: String = files
            .iter()
            .rev()
            .map(|name| content(directory.path(), name))
            .collect();
        let numbers: Vec<usize> = all.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(numbers, Vec::from_iter(100..199));
    }

    #[test]
    fn threads_that_share_a_file_lose_no_line() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut log = file(directory.path(), 3000);
                scope.spawn(move || (0..250).for_each(|_| append(&mut log, "1234567".to_owned())));
            }
        });
        let files = names(directory.path());
        let all: String = files.iter().map(|name| content(directory.path(), name)).collect();
        assert_eq!(all.lines().filter(|line| *line == "1234567").count(), 1000);
        assert_eq!(files.len(), 3);
    }

    #[test]
    fn a_directory_that_was_removed_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let logs = directory.path().join("deep/logs");
        let mut log = file(&logs, 1000);
        append(&mut log, "one".to_owned());
        fs::remove_dir_all(&logs).unwrap();
        append(&mut log, "two".to_owned());
        assert_eq!(content(&logs, "app.log"), "two\n");
    }

    #[test]
    fn a_line_is_not_glued_to_one_that_was_cut() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("app.log"), "cut").unwrap();
        append(&mut file(directory.path(), 1000), "whole".to_owned());
        assert_eq!(content(directory.path(), "app.log"), "cut\nwhole\n");
    }
}
