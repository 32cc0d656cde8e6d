//! The log: JSON lines on standard output and, without a pause for any request, in files.
//!
//! A line is formatted once, on the thread that has something to tell, and handed to a bounded queue for each
//! place that it goes to. Each place has a thread that writes what has gathered ([`batch`]), so a place that is
//! slow, stuck or full costs lines, which are counted and told, and never time.

mod batch;
pub(super) mod format;
mod outage;
mod queue;
mod refused;
mod rotating;

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::format::JsonLines;
use self::outage::Outage;
use self::queue::Queue;
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
pub struct Guard {
    places: Arc<Places>,
    all_done: mpsc::Receiver<Infallible>,
}

impl Drop for Guard {
    /// All places side by side and with patience: one that is stuck would be waited for for ever.
    fn drop(&mut self) {
        self.places.all().for_each(Queue::close);
        let _ = self.all_done.recv_timeout(PATIENCE);
    }
}

/// Begins to log, panics too. A place that cannot be written is told on standard error, and goes on being tried.
pub fn start(config: &config::Logs) -> Guard {
    let (under_way, all_done) = mpsc::channel();
    let places = Arc::new(Places::open(config.directory.as_deref(), &under_way));
    let to = Arc::clone(&places);
    let lines = JsonLines::to(move |level, line| to.push(level, line));
    let level = LevelFilter::from_level(config.level);
    // It fails only where a log has been started before, as tests do.
    let _ = tracing_subscriber::registry().with(level).with(lines).try_init();
    panics::log_them();
    Guard { places, all_done }
}

/// Where lines go.
struct Places {
    stdout: Arc<Queue>,
    files: Option<Files>,
}

struct Files {
    app: Arc<Queue>,
    error: Arc<Queue>,
}

impl Places {
    fn open(directory: Option<&Path>, under_way: &mpsc::Sender<Infallible>) -> Self {
        let refused = Arc::new(Refused::default());
        let outage = Arc::new(Outage::of("standard output"));
        let stdout = batch::spawn(
            "standard output",
            io::stdout(),
            outage,
            &refused,
            under_way.clone(),
        );
        let files = directory.map(|directory| {
            let outage = Arc::new(Outage::of(directory.display()));
            let open = |name: &str| {
                let path = directory.join(name);
                let place = path.display().to_string();
                let file = RotatingFile::new(path, FILE_MAX);
                batch::spawn(&place, file, Arc::clone(&outage), &refused, under_way.clone())
            };
            Files {
                app: open(APP_LOG),
                error: open(ERROR_LOG),
            }
        });
        Self { stdout, files }
    }

    fn all(&self) -> impl Iterator<Item = &Queue> {
        let files = self.files.iter().flat_map(|files| [&files.app, &files.error]);
        files.chain([&self.stdout]).map(AsRef::as_ref)
    }

    fn push(&self, level: Level, line: &[u8]) {
        self.stdout.push(line);
        if let Some(files) = &self.files {
            files.app.push(line);
            if level == Level::ERROR {
                files.error.push(line);
            }
        }
    }
}
