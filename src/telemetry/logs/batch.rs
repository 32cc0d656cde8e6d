//! The thread behind one place of the log: writes what has gathered, and counts what is lost.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::outage::Outage;

/// Lines that wait at most: about a second of a busy service; what comes then is lost and counted.
const QUEUE_MAX: usize = 32_768;
/// Bytes that are written at once.
const BATCH_MAX: usize = 64 * 1024;
/// Between two batches. The thread does not listen meanwhile, so a busy service pays neither for waking it nor
/// for a system call a line; and a line reaches its place this late at most.
const PAUSE: Duration = Duration::from_millis(20);
/// After a failure, until it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the thread that writes to `to`, which is called `place` in the log.
pub(super) fn spawn<W>(place: &str, to: W, outage: Arc<Outage>) -> (NonBlocking, WorkerGuard)
where
    W: Write + Send + 'static,
{
    let refused = Arc::new(OnceLock::new());
    let batch = Batch {
        place: place.to_owned(),
        to,
        lines: Vec::with_capacity(BATCH_MAX),
        outage,
        failure: None,
        refused: Arc::clone(&refused),
        told: 0,
    };
    let (queue, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(batch);
    let _ = refused.set(queue.error_counter());
    (queue, guard)
}

struct Batch<W> {
    place: String,
    to: W,
    lines: Vec<u8>,
    outage: Arc<Outage>,
    failure: Option<Failure>,
    /// Lines that the queue had no room for, since the start.
    refused: Arc<OnceLock<ErrorCounter>>,
    /// As many of them as the log has told of.
    told: usize,
}

struct Failure {
    retry: Instant,
    lost: usize,
}

impl<W: Write> Batch<W> {
    fn write_out(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        if self
            .failure
            .as_ref()
            .is_none_or(|failure| failure.retry <= Instant::now())
        {
            match self.to.write_all(&self.lines).and_then(|()| self.to.flush()) {
                Ok(()) => self.recover(),
                Err(error) => self.fail(&error),
            }
        } else {
            self.lose();
        }
        self.lines.clear();
    }

    fn fail(&mut self, error: &io::Error) {
        let retry = Instant::now() + RETRY;
        match &mut self.failure {
            Some(failure) => failure.retry = retry,
            None => {
                self.outage.begin(error);
                self.failure = Some(Failure { retry, lost: 0 });
            }
        }
        self.lose();
    }

    fn lose(&mut self) {
        if let Some(failure) = &mut self.failure {
            failure.lost += self.lines.iter().filter(|byte| **byte == b'\n').count();
        }
    }

    fn recover(&mut self) {
        if let Some(Failure { lost, .. }) = self.failure.take() {
            self.outage.end();
            let place = self.place.as_str();
            tracing::error!(place, lost, "the log is written again; lines were lost");
        }
    }

    /// A line about lines that are lost goes where lines go; the queue has just been emptied.
    fn tell_refused(&mut self) {
        let refused = self.refused.get().map_or(0, ErrorCounter::dropped_lines);
        let lost = refused.saturating_sub(self.told);
        if lost > 0 {
            self.told = refused;
            let place = self.place.as_str();
            tracing::error!(
                place,
                lost,
                "the log is too slow for what there is to tell; lines were lost"
            );
        }
    }
}

/// As [`tracing_appender`] uses it: a `write` a line, a `flush` when none waits. Failures end here.
impl<W: Write> Write for Batch<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.len() + line.len() > BATCH_MAX {
            self.write_out();
        }
        self.lines.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out();
        self.tell_refused();
        thread::sleep(PAUSE);
        Ok(())
    }
}
