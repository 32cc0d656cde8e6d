//! A small disk that a test can fill: a tmpfs in its own mount namespace. It is as fast as memory, so other disk
//! activity of the machine does not affect the figures.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// In bytes; a new PostgreSQL needs a quarter of it.
const SIZE: &str = "size=256m,mode=1777";

/// Unmounted with the test: the namespace ends with its last process.
pub struct Disk {
    holder: Child,
    directory: PathBuf,
    is_root: bool,
}

impl Disk {
    /// Mounted on this directory, visible only to processes started [`Disk::through`] its namespace.
    pub fn mounted(directory: &Path) -> Self {
        fs::create_dir_all(directory).unwrap();
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut unshare = Command::new("unshare");
        if !is_root {
            unshare.args(["--user", "--map-root-user"]);
        }
        let mount = format!("mount -t tmpfs -o {SIZE} tmpfs \"$0\" && echo mounted && exec cat");
        let mut holder = unshare
            .args(["--mount", "sh", "-c", &mount])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut told = BufReader::new(holder.stdout.take().unwrap());
        told.read_line(&mut said).unwrap();
        assert_eq!(said, "mounted\n", "no tmpfs: neither root nor user namespaces");
        Self {
            holder,
            directory: directory.to_owned(),
            is_root,
        }
    }

    /// The command prefix that makes the disk visible.
    pub fn through(&self) -> Vec<String> {
        let pid = self.holder.id().to_string();
        let mut command = vec!["nsenter", "--target", &pid, "--mount"];
        if !self.is_root {
            command.extend(["--user", "--preserve-credentials"]);
        }
        command.into_iter().map(str::to_owned).collect()
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![1; size];
            let full = loop {
                if let Err(error) = file.write_all(&block) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    pub fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.directory.strip_prefix("/").unwrap())
            .join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
