//! The wall clock of one process, which can be set back while the process runs: `clock.c`, preloaded.

use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::{NamedTempFile, TempDir};

/// For processes that are started with its variables.
pub struct Clock {
    offset: NamedTempFile,
}

impl Clock {
    pub fn new() -> Self {
        let clock = Self {
            offset: NamedTempFile::new().unwrap(),
        };
        clock.shift(0);
        clock
    }

    /// Offset from the real time, in seconds.
    pub fn shift(&self, seconds: i64) {
        // In place: truncating the file would crash the processes that have mapped it.
        self.offset
            .as_file()
            .write_all_at(&seconds.to_ne_bytes(), 0)
            .unwrap();
    }

    pub fn variables(&self) -> Vec<(String, String)> {
        let file = self.offset.path().to_str().unwrap();
        let library = library();
        [
            ("CLOCK_OFFSET_FILE", file),
            ("LD_PRELOAD", library.to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// Compiled once per run.
fn library() -> PathBuf {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(directory.path().join("clock.so"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/clock.c"))
            .status()
            .unwrap();
        assert!(compiled.success());
        directory
    });
    directory.path().join("clock.so")
}
