//! Messages that a pop has removed from the plain queue and that no client has received yet. If the client disconnects,
//! its message returns to the head.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use rocket::tokio;
use rocket::tokio::sync::mpsc;
use rocket::tokio::time::{Instant, sleep};

use ulid::Ulid;

use super::keys;
use crate::broker::{Broker, Patience, Script};
use crate::delivery::Share;
use crate::failure::Failure;

static PUT_BACK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/put_back.lua")));

/// How long to wait for further messages that come back, so that those that come back together
/// keep their order.
const GATHER: Duration = Duration::from_millis(100);
/// The interval between checks whether all have come back, or have been delivered.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// The pause between two attempts.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// How long Redis remembers that messages are back: longer than an attempt may take to reach it.
const NOTED_FOR: Duration = Duration::from_secs(3600);
/// A command is full at this many bytes or messages.
const COMMAND_BYTES: usize = 1024 * 1024;
const COMMAND_MESSAGES: usize = 1000;

/// Held as long as a message is in transit, so that the process does not exit before.
pub(super) type Held = Arc<dyn Send + Sync>;

/// The way back for messages.
#[derive(Clone)]
pub(super) struct Returns {
    sender: mpsc::UnboundedSender<Returned>,
    /// Shared by all messages that are neither delivered nor back.
    on_the_way: Held,
}

struct Returned {
    /// Its position among all messages that this process has popped.
    position: u64,
    /// Its bytes in Redis.
    message: Vec<u8>,
    /// Both held until it is back.
    _share: Option<Share>,
    _on_the_way: Held,
}

impl Returns {
    /// Starts a background task that puts messages back.
    pub(super) fn to(broker: Broker, on_the_way: Held) -> Self {
        // Its content has a share of the budget, so it is bounded.
        let (sender, returned) = mpsc::unbounded_channel();
        tokio::spawn(bring_back(broker, returned, Arc::downgrade(&on_the_way)));
        Self { sender, on_the_way }
    }
}

/// A popped message; if it is dropped before its delivery, it goes back.
pub(super) struct PoppedMessage {
    returned: Option<Returned>,
    sender: mpsc::UnboundedSender<Returned>,
}

impl PoppedMessage {
    pub(super) fn new(position: u64, message: Vec<u8>, share: Option<Share>, returns: &Returns) -> Self {
        Self {
            returned: Some(Returned {
                position,
                message,
                _share: share,
                _on_the_way: Arc::clone(&returns.on_the_way),
            }),
            sender: returns.sender.clone(),
        }
    }

    /// As text: the service pushes UTF-8, but other programs may not.
    pub(super) fn message(&self) -> Cow<'_, str> {
        let message = self.returned.as_ref().map(|returned| &returned.message);
        String::from_utf8_lossy(message.map_or(&[], Vec::as_slice))
    }

    pub(super) fn delivered(&mut self) {
        self.returned = None;
    }
}

impl Drop for PoppedMessage {
    fn drop(&mut self) {
        if let Some(returned) = self.returned.take() {
            let _ = self.sender.send(returned); // at the very end nothing can put it back
        }
    }
}

async fn bring_back(
    broker: Broker,
    mut returned: mpsc::UnboundedReceiver<Returned>,
    on_the_way: Weak<dyn Send + Sync>,
) {
    while let Some(first) = returned.recv().await {
        let mut together = vec![first];
        let until = Instant::now() + GATHER;
        loop {
            while let Ok(next) = returned.try_recv() {
                together.push(next);
            }
            // One key is the queue's own.
            if on_the_way.strong_count() <= together.len() + 1 || Instant::now() >= until {
                break;
            }
            sleep(LOOK_AGAIN).await;
        }
        for some in in_commands(together) {
            put_back(&broker, &some).await;
        }
    }
}

/// From the newest to the oldest: the last one pushed at the head comes first.
fn in_commands(mut all: Vec<Returned>) -> impl Iterator<Item = Vec<Returned>> {
    all.sort_unstable_by_key(|returned| returned.position);
    let next = move || (!all.is_empty()).then(|| all.split_off(beginning_of_the_last(&all)));
    std::iter::from_fn(next)
}

/// The beginnings of the commands' parts, at least 1 message each.
fn beginning_of_the_last(all: &[Returned]) -> usize {
    let mut bytes = 0;
    let fitting = all.iter().rev().take(COMMAND_MESSAGES).take_while(|returned| {
        let fits = bytes < COMMAND_BYTES;
        bytes += returned.message.len();
        fits
    });
    all.len() - fitting.count()
}

/// Retries until Redis accepts them: they exist nowhere else. An attempt of unknown outcome may have succeeded, so
/// Redis remembers for a while which ones are back.
async fn put_back(broker: &Broker, messages: &[Returned]) {
    let noted = keys::put_back(Ulid::generate());
    loop {
        let mut call = PUT_BACK.on(&[keys::MESSAGES, &noted]);
        call.arg(NOTED_FOR.as_secs());
        for returned in messages.iter().rev() {
            call.arg(&returned.message);
        }
        match broker.run::<()>(call, Patience::usual()).await {
            Ok(()) => return,
            Err(Failure::Bug(error)) => {
                tracing::error!(error, messages = messages.len(), "popped messages are lost");
                return;
            }
            Err(error) => tracing::warn!(%error, "popped messages that nobody got are not back yet"),
        }
        sleep(TRY_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, COMMAND_BYTES, COMMAND_MESSAGES, Returned, in_commands};

    /// The positions of the messages of each command, for messages at these positions of that many bytes each.
    fn commands(positions: impl Iterator<Item = u64>, bytes: usize) -> Vec<Vec<u64>> {
        let returned = |position| Returned {
            position,
            message: vec![b'x'; bytes],
            _share: None,
            _on_the_way: Arc::new(()),
        };
        let commands = in_commands(positions.map(returned).collect());
        let positions = |command: Vec<Returned>| command.iter().map(|returned| returned.position).collect();
        commands.map(positions).collect()
    }

    #[test]
    fn messages_go_back_from_the_newest_to_the_oldest_in_any_order_of_arrival() {
        let most = COMMAND_MESSAGES as u64;
        let commands = commands((0..most + 2).rev(), 1);
        assert_eq!(commands, [(2..most + 2).collect::<Vec<_>>(), vec![0, 1]]);
    }

    #[test]
    fn a_command_is_limited_in_bytes_but_has_one_message() {
        assert_eq!(commands(0..3, COMMAND_BYTES), [[2], [1], [0]]);
        assert_eq!(commands(0..3, COMMAND_BYTES / 2), [vec![1, 2], vec![0]]);
    }
}
