//! A sink of the log: a bounded queue of lines, and the thread that writes them.
//!
//! A line costs a request only a copy of its bytes: a slow, stuck or full sink costs lines, which are counted and
//! reported, and never time.

use std::convert::Infallible;
use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The maximum of waiting bytes, about 18,000 lines. Further lines are refused.
pub(super) const QUEUE_MAX: usize = 4 * 1024 * 1024;
/// The writer sleeps between batches, so a busy service pays neither for waking it nor for a system call per line.
const PAUSE: Duration = Duration::from_millis(5);
/// From a failure to the next attempt, and between two reports of refused lines.
const RETRY: Duration = Duration::from_secs(1);
/// The buffer that is kept between two batches; a burst may need more.
const KEPT_MAX: usize = 512 * 1024;

/// The producers' end of a sink.
pub(super) struct Sink {
    name: String,
    queue: Mutex<Queue>,
    news: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Whole lines, one behind the other.
    lines: Vec<u8>,
    refused: usize,
    told: usize,
    told_at: Option<Instant>,
    closed: bool,
}

impl Sink {
    pub(super) fn new(name: impl ToString) -> Self {
        Self {
            name: name.to_string(),
            queue: Mutex::default(),
            news: Condvar::new(),
        }
    }

    /// Adds a line, if there is room for it.
    pub(super) fn push(&self, line: &[u8]) {
        let mut queue = self.queue();
        if queue.lines.len() + line.len() > QUEUE_MAX {
            queue.refused += 1;
            return;
        }
        let is_first = queue.lines.is_empty();
        queue.lines.extend_from_slice(line);
        drop(queue);
        if is_first {
            self.news.notify_one();
        }
    }

    /// No more lines will come.
    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.news.notify_one();
    }

    /// Swaps the lines for `taken`, which is empty, as soon as there are any. Returns false at the end of the queue.
    fn take(&self, taken: &mut Vec<u8>) -> bool {
        let nothing = |queue: &mut Queue| queue.lines.is_empty() && !queue.closed;
        let queue = self.news.wait_while(self.queue(), nothing);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        mem::swap(taken, &mut queue.lines);
        !taken.is_empty()
    }

    fn tell_refused(&self) {
        let mut queue = self.queue();
        let lost = queue.refused;
        if lost == queue.told || queue.told_at.is_some_and(|at| at.elapsed() < RETRY) {
            return;
        }
        queue.told_at = Some(Instant::now());
        drop(queue);
        let sink = self.name.as_str();
        tracing::error!(
            sink,
            lost,
            "the log is read too slowly: so many lines were lost since the start"
        );
        // If the line above was refused too, that is not reported again.
        let mut queue = self.queue();
        queue.told = queue.refused;
    }

    /// On standard error, since the log itself cannot say so; `eprintln!` would panic without one.
    fn say(&self, error: &io::Error) {
        let line = format!("order-api: the log cannot be written to {}: {error}\n", self.name);
        let _ = io::stderr().write_all(line.as_bytes());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer of a sink.
pub(super) struct Writer {
    pub(super) sink: Arc<Sink>,
    to: Box<dyn Write + Send>,
    failure: Option<Failure>,
}

struct Failure {
    retry: Instant,
    lost: usize,
}

impl Writer {
    /// To the sink called `name` in the log.
    pub(super) fn new(name: impl ToString, to: impl Write + Send + 'static) -> Self {
        Self {
            sink: Arc::new(Sink::new(name)),
            to: Box::new(to),
            failure: None,
        }
    }

    /// Starts its thread, which drops `done` at its end. It reports the lines refused by any of `all`: a stuck sink
    /// cannot.
    pub(super) fn spawn(self, all: Arc<[Arc<Sink>]>, done: Sender<Infallible>) {
        let sink = Arc::clone(&self.sink);
        let run = move || {
            self.run(&all);
            drop(done);
        };
        if let Err(error) = thread::Builder::new().name("log".to_owned()).spawn(run) {
            sink.say(&error);
        }
    }

    fn run(mut self, all: &[Arc<Sink>]) {
        let mut lines = Vec::new();
        while self.sink.take(&mut lines) {
            self.write(&lines);
            lines.clear();
            lines.shrink_to(KEPT_MAX);
            all.iter().for_each(|sink| sink.tell_refused());
            thread::sleep(PAUSE);
        }
    }

    fn write(&mut self, lines: &[u8]) {
        let now = Instant::now();
        if self.failure.as_ref().is_none_or(|failure| failure.retry <= now) {
            match self.to.write_all(lines).and_then(|()| self.to.flush()) {
                Ok(()) => self.recover(),
                Err(error) => self.fail(now + RETRY, &error),
            }
        }
        if let Some(failure) = &mut self.failure {
            failure.lost += lines.iter().filter(|byte| **byte == b'\n').count();
        }
    }

    fn fail(&mut self, retry: Instant, error: &io::Error) {
        match &mut self.failure {
            Some(failure) => failure.retry = retry,
            None => {
                self.sink.say(error);
                self.failure = Some(Failure { retry, lost: 0 });
            }
        }
    }

    fn recover(&mut self) {
        if let Some(Failure { lost, .. }) = self.failure.take() {
            let sink = self.sink.name.as_str();
            tracing::error!(sink, lost, "the log is written again; lines were lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, MutexGuard, mpsc};
    use std::time::Instant;

    use super::{QUEUE_MAX, Writer};

    /// Stuck as long as the lock is held.
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
    fn a_stuck_sink_delays_nothing_and_loses_only_excess_lines() {
        const LINE: &[u8] = b"a line\n";
        let many = 3 * QUEUE_MAX / LINE.len();
        let written = Arc::new(Mutex::new(Vec::new()));
        let held: MutexGuard<'_, Vec<u8>> = written.lock().unwrap();
        let writer = Writer::new("here", Stuck(Arc::clone(&written)));
        let (sink, (under_way, done)) = (Arc::clone(&writer.sink), mpsc::channel());
        writer.spawn(Arc::new([]), under_way);
        let asked = Instant::now();
        for _ in 0..many {
            sink.push(LINE);
        }
        assert!(asked.elapsed().as_secs() < 5);
        let lost = sink.queue().refused;
        assert!(lost * LINE.len() >= QUEUE_MAX, "{lost}");
        drop(held);
        sink.close();
        done.recv().unwrap_err();
        let written = written.lock().unwrap();
        assert!(written.chunks(LINE.len()).all(|line| line == LINE));
        assert_eq!(written.len() / LINE.len() + lost, many);
    }
}
