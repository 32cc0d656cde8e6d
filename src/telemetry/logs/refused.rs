//! Tells how many lines were lost because a queue was full.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::ErrorCounter;

/// Between two lines about lost lines, which may be lost themselves.
const PAUSE: Duration = Duration::from_secs(1);

/// The queues of all places. Any thread that has written something tells for all: one that is stuck cannot.
#[derive(Default)]
pub(super) struct Refused(Mutex<Vec<Queue>>);

struct Queue {
    place: String,
    refused: ErrorCounter,
    told: usize,
    told_at: Instant,
}

impl Refused {
    pub(super) fn watch(&self, place: &str, refused: ErrorCounter) {
        if let Ok(mut queues) = self.0.lock() {
            queues.push(Queue {
                place: place.to_owned(),
                refused,
                told: 0,
                told_at: Instant::now(),
            });
        }
    }

    pub(super) fn tell(&self) {
        let Ok(mut queues) = self.0.try_lock() else {
            return;
        };
        for queue in queues.iter_mut().filter(|queue| queue.has_news()) {
            let (place, lost) = (queue.place.as_str(), queue.refused.dropped_lines());
            tracing::error!(
                place,
                lost,
                "the log is read too slowly: so many lines were lost since the start"
            );
            // Read anew: the line above, if it was refused too, is no news.
            queue.told = queue.refused.dropped_lines();
            queue.told_at = Instant::now();
        }
    }
}

impl Queue {
    fn has_news(&self) -> bool {
        self.refused.dropped_lines() > self.told && self.told_at.elapsed() >= PAUSE
    }
}
