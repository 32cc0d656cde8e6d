//! The files of the log: `app.log` with every line, `error.log` with the errors, each rotated by size.
//!
//! A batch is appended atomically (`O_APPEND`) to the file at its path, under a lock on the directory (`flock`). So a
//! removed directory or file is created again, and processes that share a directory lose no line and rotate once.
//! On a file system without locks a file may be rotated early.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::format::is_error;

/// Older files that are kept in addition to the current one: `app.log.1`, the newest of them, to `app.log.3`.
const KEPT: usize = 3;

/// A directory with both files.
pub(super) struct Files {
    directory: PathBuf,
    /// A file that would grow beyond this many bytes is rotated.
    size_max: u64,
}

/// The paths of the files with all lines, existing or not, the newest first.
pub fn newest_first(directory: &Path) -> impl Iterator<Item = PathBuf> {
    (0..=KEPT).map(|age| path(directory, "app.log", age))
}

fn path(directory: &Path, name: &str, age: usize) -> PathBuf {
    match age {
        0 => directory.join(name),
        _ => directory.join(format!("{name}.{age}")),
    }
}

impl Files {
    pub(super) fn new(directory: &Path, size_max: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            size_max,
        }
    }

    fn append(&self, name: &str, lines: &[u8]) -> io::Result<()> {
        let path = |age| path(&self.directory, name, age);
        let open = || {
            OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .open(path(0))
        };
        let mut file = open()?;
        let mut size = file.metadata()?.len();
        let grown = size.saturating_add(lines.len().try_into().unwrap_or(u64::MAX));
        if size > 0 && grown > self.size_max {
            for age in (0..KEPT).rev() {
                match fs::rename(path(age), path(age + 1)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            file = open()?;
            size = 0;
        }
        // A full disk or a power failure may leave a partial line, to which the next must not be appended.
        let mut last = [b'\n'];
        if let Some(end) = size.checked_sub(1) {
            file.read_exact_at(&mut last, end)?;
        }
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
        file.write_all(lines)
    }
}

impl Write for Files {
    /// All of it or, on an error, an unknown part.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        fs::create_dir_all(&self.directory)?;
        let directory = File::open(&self.directory);
        let _lock = directory.and_then(|held| held.lock().map(|()| held)).ok();
        let errors = lines
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| is_error(line));
        let errors: Vec<u8> = errors.flatten().copied().collect();
        let all = self.append("app.log", lines);
        if !errors.is_empty() {
            self.append("error.log", &errors)?;
        }
        all.map(|()| lines.len())
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

    use super::Files;

    fn file(directory: &Path, size_max: u64) -> Files {
        Files::new(directory, size_max)
    }

    fn append(log: &mut Files, line: String) {
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
    fn a_restart_continues_the_existing_file() {
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
    fn a_removed_log_directory_is_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let logs = directory.path().join("deep/logs");
        let mut log = file(&logs, 1000);
        append(&mut log, "one".to_owned());
        fs::remove_dir_all(&logs).unwrap();
        append(&mut log, "two".to_owned());
        assert_eq!(content(&logs, "app.log"), "two\n");
    }

    #[test]
    fn a_line_is_not_appended_to_a_partial_one() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("app.log"), "cut").unwrap();
        append(&mut file(directory.path(), 1000), "whole".to_owned());
        assert_eq!(content(directory.path(), "app.log"), "cut\nwhole\n");
    }

    #[test]
    fn errors_are_in_both_files_and_other_lines_in_one() {
        let directory = tempfile::tempdir().unwrap();
        let line = |level: &str| format!("{{\"timestamp\":\"now\",\"level\":\"{level}\",\"message\":\"x\"}}");
        let lines = ["ERROR", "INFO", "ERROR"].map(line).join("\n");
        append(&mut file(directory.path(), 1000), lines.clone());
        assert_eq!(content(directory.path(), "app.log"), lines + "\n");
        assert_eq!(
            content(directory.path(), "error.log"),
            (line("ERROR") + "\n").repeat(2)
        );
    }
}
