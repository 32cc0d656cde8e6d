//! Tells how many lines were lost because a queue was full.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::queue::Queue;

/// Between two lines about lost lines, which may be lost themselves.
const PAUSE: Duration = Duration::from_secs(1);

/// The queues of all places. Any thread that has written something tells for all: one that is stuck cannot.
#[derive(Default)]
pub(super) struct Refused(Mutex<Vec<Watched>>);

struct Watched {
    place: String,
    queue: Arc<Queue>,
    told: usize,
    told_at: Instant,
}

impl Refused {
    pub(super) fn watch(&self, place: &str, queue: &Arc<Queue>) {
        if let Ok(mut queues) = self.0.lock() {
            queues.push(Watched {
                place: place.to_owned(),
                queue: Arc::clone(queue),
                told: 0,
                told_at: Instant::now(),
            });
        }
    }

    pub(super) fn tell(&self) {
        let Ok(mut queues) = self.0.try_lock() else {
            return;
        };
        for watched in queues.iter_mut().filter(|watched| watched.has_news()) {
            let (place, lost) = (watched.place.as_str(), watched.queue.refused());
            tracing::error!(
                place,
                lost,
                "the log is read too slowly: so many lines were lost since the start"
            );
            // Read anew: the line above, if it was refused too, is no news.
            watched.told = watched.queue.refused();
            watched.told_at = Instant::now();
        }
    }
}

impl Watched {
    fn has_news(&self) -> bool {
        self.queue.refused() > self.told && self.told_at.elapsed() >= PAUSE
    }
}
