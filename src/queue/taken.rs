//! Messages that a pop has removed from the plain queue and that nobody has got yet. One whose client has left goes
//! back to the head.

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

/// Messages that have been popped by now may come back too: so long they are waited for, so that those that come back
/// together keep their order.
const GATHER: Duration = Duration::from_millis(100);
/// Between two looks whether all have come back, or have been delivered.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// How long Redis notes that messages are back: longer than a try may take to reach it.
const NOTED_FOR: Duration = Duration::from_secs(3600);
/// A command is full with so many bytes, or so many messages.
const COMMAND_BYTES: usize = 1024 * 1024;
const COMMAND_MESSAGES: usize = 1000;

/// What is held for as long as a message is on its way, so that the process does not end before.
pub(super) type Held = Arc<dyn Send + Sync>;

/// Where messages go back to.
#[derive(Clone)]
pub(super) struct Returns {
    sender: mpsc::UnboundedSender<Returned>,
    /// Shared by all messages that are neither delivered nor back.
    on_the_way: Held,
}

struct Returned {
    /// Its place among all that this process has popped.
    place: u64,
    /// As Redis had it.
    message: Vec<u8>,
    /// Both held until it is back.
    _share: Option<Share>,
    _on_the_way: Held,
}

impl Returns {
    /// Begins to bring messages back, in a task of its own.
    pub(super) fn to(broker: Broker, on_the_way: Held) -> Self {
        // What is in it has its share of the budget, so it is bounded.
        let (sender, returned) = mpsc::unbounded_channel();
        tokio::spawn(bring_back(broker, returned, Arc::downgrade(&on_the_way)));
        Self { sender, on_the_way }
    }
}

/// A popped message; dropped before it is delivered, it goes back.
pub(super) struct Taken {
    returned: Option<Returned>,
    sender: mpsc::UnboundedSender<Returned>,
}

impl Taken {
    pub(super) fn new(place: u64, message: Vec<u8>, share: Option<Share>, returns: &Returns) -> Self {
        Self {
            returned: Some(Returned {
                place,
                message,
                _share: share,
                _on_the_way: Arc::clone(&returns.on_the_way),
            }),
            sender: returns.sender.clone(),
        }
    }

    /// As text: what is pushed here is UTF-8, and what others have put into Redis may not be.
    pub(super) fn message(&self) -> Cow<'_, str> {
        let message = self.returned.as_ref().map(|returned| &returned.message);
        String::from_utf8_lossy(message.map_or(&[], Vec::as_slice))
    }

    pub(super) fn delivered(&mut self) {
        self.returned = None;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(returned) = self.returned.take() {
            let _ = self.sender.send(returned); // at the very end there is nobody to bring it back
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
            // One is the queue's own.
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

/// From the newest to the oldest: the last to be put at the head is the first there.
fn in_commands(mut all: Vec<Returned>) -> impl Iterator<Item = Vec<Returned>> {
    all.sort_unstable_by_key(|returned| returned.place);
    let next = move || (!all.is_empty()).then(|| all.split_off(beginning_of_the_last(&all)));
    std::iter::from_fn(next)
}

/// Where those begin that one command takes, 1 at least.
fn beginning_of_the_last(all: &[Returned]) -> usize {
    let mut bytes = 0;
    let fitting = all.iter().rev().take(COMMAND_MESSAGES).take_while(|returned| {
        let fits = bytes < COMMAND_BYTES;
        bytes += returned.message.len();
        fits
    });
    all.len() - fitting.count()
}

/// Tries until Redis takes them: nobody else has them. A try whose outcome is unknown may have succeeded, so Redis notes
/// for a while which have come back.
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

    /// The places of the messages of each command, for messages of these places that have as many bytes.
    fn commands(places: impl Iterator<Item = u64>, bytes: usize) -> Vec<Vec<u64>> {
        let returned = |place| Returned {
            place,
            message: vec![b'x'; bytes],
            _share: None,
            _on_the_way: Arc::new(()),
        };
        let commands = in_commands(places.map(returned).collect());
        let places = |command: Vec<Returned>| command.iter().map(|returned| returned.place).collect();
        commands.map(places).collect()
    }

    #[test]
    fn messages_go_back_from_the_newest_to_the_oldest_in_whichever_order_they_came() {
        let most = COMMAND_MESSAGES as u64;
        let commands = commands((0..most + 2).rev(), 1);
        assert_eq!(commands, [(2..most + 2).collect::<Vec<_>>(), vec![0, 1]]);
    }

    #[test]
    fn a_command_is_full_with_so_many_bytes_and_has_one_message_at_least() {
        assert_eq!(commands(0..3, COMMAND_BYTES), [[2], [1], [0]]);
        assert_eq!(commands(0..3, COMMAND_BYTES / 2), [vec![1, 2], vec![0]]);
    }
}
