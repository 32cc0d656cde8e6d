//! A Redis on a slow disk that can be full, and for which the state after a power failure is known.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::Redis;

/// Stopped with the test.
pub struct SlowDisk {
    pub redis: Redis,
    files: TempDir,
}

impl SlowDisk {
    /// Each `fdatasync` takes this many milliseconds longer.
    pub fn start(milliseconds: u32, flags: &[&'static str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let library = files.path().join("slow_disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/support/slow_disk.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        assert!(compiled.unwrap().success());
        let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
        let environment = [
            ("LD_PRELOAD", path("slow_disk.so")),
            ("SLOW_DISK_MS", milliseconds.to_string()),
            ("SLOW_DISK_SAFE", path("safe")),
            ("SLOW_DISK_FULL", path("full")),
        ];
        Self {
            redis: Redis::within(flags, &environment),
            files,
        }
    }

    /// Kills it, and truncates its append-only file to what survives a power failure.
    pub fn cut_power(&self) {
        self.redis.kill();
        let safe = fs::read_to_string(self.files.path().join("safe")).unwrap();
        let log = File::options().write(true).open(self.log()).unwrap();
        log.set_len(safe.parse().unwrap()).unwrap();
    }

    fn log(&self) -> PathBuf {
        let files = fs::read_dir(self.redis.directory().join("appendonlydir")).unwrap();
        let mut logs = files.map(|file| file.unwrap().path());
        let log = logs.find(|path| path.to_str().unwrap().ends_with(".incr.aof"));
        log.unwrap()
    }

    pub fn fill(&self) {
        File::create(self.files.path().join("full")).unwrap();
    }

    pub fn make_room(&self) {
        fs::remove_file(self.files.path().join("full")).unwrap();
    }
}
