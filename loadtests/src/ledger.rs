//! A file with one line per confirmed change, to compare a store with it later (`--ledger`):
//!
//!     <asked> <answered> placed|won|pushed|popped <order or message>
//!
//! Both times are microseconds since 1970. A change without an answer has no line.

use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::exchange::Exchange;

/// Without a file, nothing is written.
#[derive(Default)]
pub struct Ledger {
    file: Option<Mutex<LineWriter<File>>>,
    incomplete: AtomicBool,
}

impl Ledger {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(File::create).transpose()?;
        Ok(Self {
            file: file.map(|file| Mutex::new(LineWriter::new(file))),
            incomplete: AtomicBool::new(false),
        })
    }

    /// Records the change of this exchange.
    pub fn note(&self, exchange: &Exchange, what: &str, which: impl std::fmt::Display) {
        let Some(file) = &self.file else { return };
        let (asked, answered) = (micros(exchange.asked()), micros(SystemTime::now()));
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if writeln!(file, "{asked} {answered} {what} {which}").is_err() {
            self.incomplete.store(true, Ordering::Relaxed);
        }
    }

    /// Whether every line could be written.
    pub fn is_complete(&self) -> bool {
        !self.incomplete.load(Ordering::Relaxed)
    }
}

fn micros(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
}
