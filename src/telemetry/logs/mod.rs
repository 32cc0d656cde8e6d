//! The log: JSON lines on standard output and in files.
//!
//! A line is formatted once, on the thread that logs it, and put into the queue of each sink.

mod files;
pub(super) mod format;
mod sink;

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::files::Files;
pub use self::files::newest_first;
use self::format::JsonLines;
use self::sink::{Sink, Writer};
use super::panics;
use crate::config;

/// A file that would grow beyond this many bytes is rotated.
const FILE_MAX: u64 = 5 * 1024 * 1024;
/// The time for writing the last lines at the exit of the program.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Writes the last lines when it is dropped; must be kept until the program ends.
#[must_use]
pub struct Guard {
    sinks: Arc<[Arc<Sink>]>,
    all_done: mpsc::Receiver<Infallible>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.sinks.iter().for_each(|sink| sink.close());
        let _ = self.all_done.recv_timeout(PATIENCE); // a stuck sink is abandoned
    }
}

/// Starts to log, including panics. A sink that cannot be written is reported on standard error, and retried.
pub fn start(config: &config::Logs) -> Guard {
    let mut writers = vec![Writer::new("standard output", io::stdout())];
    if let Some(directory) = &config.directory {
        writers.push(Writer::new(directory.display(), Files::new(directory, FILE_MAX)));
    }
    let sinks: Arc<[_]> = writers.iter().map(|writer| Arc::clone(&writer.sink)).collect();
    let (under_way, all_done) = mpsc::channel();
    for writer in writers {
        writer.spawn(Arc::clone(&sinks), under_way.clone());
    }
    let to = Arc::clone(&sinks);
    let lines = JsonLines(move |line: &[u8]| to.iter().for_each(|sink| sink.push(line)));
    let level = LevelFilter::from_level(config.level);
    // It fails only if a log has been started before, as in tests.
    let _ = tracing_subscriber::registry().with(level).with(lines).try_init();
    panics::log_them();
    Guard { sinks, all_done }
}
