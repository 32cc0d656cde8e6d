//! The log: JSON lines on standard output and, without a pause for any request, in files.
//!
//! A line is formatted once, on the thread that has something to tell, and handed to a bounded queue for each
//! place that it goes to. Each place has a thread that writes what has gathered ([`batch`]), so a place that is
//! slow, stuck or full costs lines, which are counted and told, and never time.

mod batch;
pub(super) mod format;
mod outage;
mod refused;
mod rotating;

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::format::JsonLines;
use self::outage::Outage;
use self::refused::Refused;
use self::rotating::RotatingFile;
use super::panics;
use crate::config;

/// The file with all lines, in `LOG_DIR`.
pub const APP_LOG: &str = "app.log";
/// The file with the errors alone.
const ERROR_LOG: &str = "error.log";
/// Older files that are kept besides the current one: `app.log.1`, the newest of them, to `app.log.3`.
pub const KEPT: usize = 3;
/// A file that would grow beyond this many bytes is rotated.
const FILE_MAX: u64 = 5 * 1024 * 1024;
/// The longest wait for the last lines to be written, when the program ends.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Writes the last lines when it is dropped: to be kept until the program ends.
#[must_use]
pub struct Guard(Vec<WorkerGuard>);

impl Drop for Guard {
    /// All places side by side and with patience of our own: a [`WorkerGuard`] of a place that is stuck may
    /// wait for ever.
    fn drop(&mut self) {
        let (under_way, all_done) = mpsc::channel::<Infallible>();
        for guard in self.0.drain(..) {
            let under_way = under_way.clone();
            let finish = move || {
                drop(guard);
                drop(under_way);
            };
            // Where there is no thread to be had, the closure is dropped here, and the guard with it.
            let _ = thread::Builder::new().spawn(finish);
        }
        drop(under_way);
        let _ = all_done.recv_timeout(PATIENCE);
    }
}

/// Begins to log, panics too. A place that cannot be written is told on standard error, and goes on being tried.
pub fn start(config: &config::Logs) -> Guard {
    let (places, guard) = Places::open(config.directory.as_deref());
    let lines = tracing_subscriber::fmt::layer()
        .event_format(JsonLines)
        .with_writer(places);
    let level = LevelFilter::from_level(config.level);
    // It fails only where a log has been started before, as tests do.
    let _ = tracing_subscriber::registry().with(level).with(lines).try_init();
    panics::log_them();
    guard
}

/// Where lines go.
struct Places {
    stdout: NonBlocking,
    files: Option<Files>,
}

struct Files {
    app: NonBlocking,
    error: NonBlocking,
}

impl Places {
    fn open(directory: Option<&Path>) -> (Self, Guard) {
        let refused = Arc::new(Refused::default());
        let outage = Arc::new(Outage::of("standard output"));
        let (stdout, guard) = batch::spawn("standard output", io::stdout(), outage, &refused);
        let mut guards = vec![guard];
        let files = directory.map(|directory| {
            let outage = Arc::new(Outage::of(directory.display()));
            let mut open = |name: &str| {
                let path = directory.join(name);
                let place = path.display().to_string();
                let file = RotatingFile::new(path, FILE_MAX);
                let (file, guard) = batch::spawn(&place, file, Arc::clone(&outage), &refused);
                guards.push(guard);
                file
            };
            Files {
                app: open(APP_LOG),
                error: open(ERROR_LOG),
            }
        });
        (Self { stdout, files }, Guard(guards))
    }
}

/// One line on its way.
struct Line<'a> {
    places: &'a Places,
    is_error: bool,
}

impl<'a> MakeWriter<'a> for Places {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            places: self,
            is_error: false,
        }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        Line {
            places: self,
            is_error: *about.level() == Level::ERROR,
        }
    }
}

impl Write for Line<'_> {
    /// Never waits and never fails: a full queue counts what it refuses.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.places.stdout.clone().write_all(line)?;
        if let Some(files) = &self.places.files {
            files.app.clone().write_all(line)?;
            if self.is_error {
                files.error.clone().write_all(line)?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
