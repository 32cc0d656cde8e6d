//! The thread behind one place of the log: writes what has gathered, and counts what it cannot write.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::outage::Outage;
use super::refused::Refused;

/// Lines that wait at most: a third of a second of a busy service; what comes then is lost and counted.
const QUEUE_MAX: usize = 16_384;
/// Bytes that are written at once.
const BATCH_MAX: usize = 64 * 1024;
/// Between two batches. The thread does not listen meanwhile, so a busy service pays neither for waking it nor
/// for a system call a line; and a line reaches its place this late at most.
const PAUSE: Duration = Duration::from_millis(20);
/// After a failure, until it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the thread that writes to `to`, which is called `place` in the log.
pub(super) fn spawn<W>(
    place: &str,
    to: W,
    outage: Arc<Outage>,
    refused: &Arc<Refused>,
) -> (NonBlocking, WorkerGuard)
where
    W: Write + Send + 'static,
{
    let batch = Batch {
        place: place.to_owned(),
        to,
        lines: Vec::with_capacity(BATCH_MAX),
        outage,
        failure: None,
        refused: Arc::clone(refused),
    };
    let (queue, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(batch);
    refused.watch(place, queue.error_counter());
    (queue, guard)
}

struct Batch<W> {
    place: String,
    to: W,
    lines: Vec<u8>,
    outage: Arc<Outage>,
    failure: Option<Failure>,
    refused: Arc<Refused>,
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
        self.refused.tell();
        thread::sleep(PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, MutexGuard};
    use std::time::Instant;

    use super::super::outage::Outage;
    use super::super::refused::Refused;
    use super::{QUEUE_MAX, spawn};

    /// A place that is stuck as long as somebody else holds it.
    struct Stuck(Arc<Mutex<Vec<u8>>>);

    impl Write for Stuck {
        fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(lines)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_place_that_is_stuck_takes_no_time_and_loses_only_what_has_no_room() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let held: MutexGuard<'_, Vec<u8>> = written.lock().unwrap();
        let (place, refused) = (Stuck(Arc::clone(&written)), Arc::new(Refused::default()));
        let (mut queue, guard) = spawn("here", place, Arc::new(Outage::of("here")), &refused);
        let asked = Instant::now();
        for _ in 0..3 * QUEUE_MAX {
            queue.write_all(b"a line\n").unwrap();
        }
        assert!(asked.elapsed().as_secs() < 5);
        let lost = queue.error_counter().dropped_lines();
        assert!(lost > QUEUE_MAX, "{lost}");
        drop(held);
        drop(guard);
        let lines = written
            .lock()
            .unwrap()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        assert_eq!(lines + lost, 3 * QUEUE_MAX);
    }
}
