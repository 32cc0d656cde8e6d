//! The thread behind one place of the log: writes what has gathered, and counts what it cannot write.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use super::outage::Outage;
use super::queue::Queue;
use super::refused::Refused;

/// Between two batches. The thread does not listen meanwhile, so a busy service pays neither for waking it nor
/// for a system call a line; and a line reaches its place this late at most.
const PAUSE: Duration = Duration::from_millis(5);
/// After a failure, until it is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Bytes of memory that are kept between two batches; a burst may need more.
const KEPT_MAX: usize = 512 * 1024;

/// Starts the thread that writes to `to`, which is called `place` in the log, and drops `done` at its end.
pub(super) fn spawn<W>(
    place: &str,
    to: W,
    outage: Arc<Outage>,
    refused: &Arc<Refused>,
    done: Sender<Infallible>,
) -> Arc<Queue>
where
    W: Write + Send + 'static,
{
    let queue = Arc::new(Queue::default());
    let batch = Batch {
        place: place.to_owned(),
        to,
        lines: Vec::new(),
        outage: Arc::clone(&outage),
        failure: None,
    };
    refused.watch(place, &queue);
    let (lines, refused) = (Arc::clone(&queue), Arc::clone(refused));
    let write = move || {
        batch.write_all(&lines, &refused);
        drop(done);
    };
    if let Err(error) = thread::Builder::new().name("log".to_owned()).spawn(write) {
        outage.begin(&error);
    }
    queue
}

struct Batch<W> {
    place: String,
    to: W,
    lines: Vec<u8>,
    outage: Arc<Outage>,
    failure: Option<Failure>,
}

struct Failure {
    retry: Instant,
    lost: usize,
}

impl<W: Write> Batch<W> {
    /// Until the queue is closed and empty.
    fn write_all(mut self, queue: &Queue, refused: &Refused) {
        while queue.take(&mut self.lines) {
            self.write_out();
            self.lines.clear();
            self.lines.shrink_to(KEPT_MAX);
            refused.tell();
            thread::sleep(PAUSE);
        }
    }

    fn write_out(&mut self) {
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

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, MutexGuard, mpsc};
    use std::time::Instant;

    use super::super::outage::Outage;
    use super::super::queue::QUEUE_MAX;
    use super::super::refused::Refused;
    use super::spawn;

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
        const LINE: &[u8] = b"a line\n";
        let many = 3 * QUEUE_MAX / LINE.len();
        let written = Arc::new(Mutex::new(Vec::new()));
        let held: MutexGuard<'_, Vec<u8>> = written.lock().unwrap();
        let (place, refused) = (Stuck(Arc::clone(&written)), Arc::new(Refused::default()));
        let (under_way, done) = mpsc::channel();
        let queue = spawn("here", place, Arc::new(Outage::of("here")), &refused, under_way);
        let asked = Instant::now();
        for _ in 0..many {
            queue.push(LINE);
        }
        assert!(asked.elapsed().as_secs() < 5);
        let lost = queue.refused();
        assert!(lost * LINE.len() >= QUEUE_MAX, "{lost}");
        drop(held);
        queue.close();
        done.recv().unwrap_err();
        let written = written.lock().unwrap();
        assert!(written.chunks(LINE.len()).all(|line| line == LINE));
        assert_eq!(written.len() / LINE.len() + lost, many);
    }
}
