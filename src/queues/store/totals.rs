//! The totals of all reliable queues, read in pages.

use redis::cmd;
use ulid::Ulid;

use crate::broker::{Broker, Patience};
use crate::failure::Failure;
use crate::queues::keys;
use crate::queues::model::QueueName;
use crate::queues::scripts;

/// The number of queues per call: about as much work for Redis as a push of that many messages.
const QUEUES_OF_A_CALL: usize = 32;

/// Totals, and maxima over all queues.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::queues) struct Totals {
    pub(in crate::queues) queues: u64,
    pub(in crate::queues) ready: u64,
    pub(in crate::queues) delayed: u64,
    pub(in crate::queues) in_flight: u64,
    pub(in crate::queues) dead: u64,
    pub(in crate::queues) dead_dropped: u64,
    /// Microseconds since the push of the oldest ready message.
    pub(in crate::queues) oldest_age: u64,
    /// Milliseconds since 1970: the first receipt among the messages in flight that were read.
    pub(in crate::queues) first_receipt: Option<u64>,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.queues += other.queues;
        self.ready += other.ready;
        self.delayed += other.delayed;
        self.in_flight += other.in_flight;
        self.dead += other.dead;
        self.dead_dropped += other.dead_dropped;
        self.oldest_age = self.oldest_age.max(other.oldest_age);
        self.first_receipt = [self.first_receipt, other.first_receipt]
            .into_iter()
            .flatten()
            .min();
    }
}

/// Some names of queues, and the cursor of the next ones; 0 is the beginning, and the end.
pub(in crate::queues) async fn names(broker: &Broker, from: u64) -> Result<(u64, Vec<String>), Failure> {
    let mut scan = cmd("SSCAN");
    scan.arg(keys::NAMES).arg(from);
    broker.read(scan.arg("COUNT").arg(QUEUES_OF_A_CALL)).await
}

/// Adds the numbers of these queues.
pub(in crate::queues) async fn add(
    broker: &Broker,
    names: &[String],
    to: &mut Totals,
) -> Result<(), Failure> {
    let queues: Vec<_> = names.iter().filter_map(|name| QueueName::parse(name)).collect();
    for some in queues.chunks(QUEUES_OF_A_CALL) {
        to.add(&look(broker, some).await?);
    }
    Ok(())
}

async fn look(broker: &Broker, queues: &[QueueName]) -> Result<Totals, Failure> {
    type Answer = (u64, u64, u64, u64, u64, u64, u64, String);
    let keys: Vec<_> = queues.iter().flat_map(keys::queue).collect();
    let call = scripts::TOTALS.on(&keys);
    let (queues, ready, delayed, in_flight, dead, dead_dropped, oldest_age, nonce): Answer =
        broker.look(call, Patience::usual()).await?;
    Ok(Totals {
        queues,
        ready,
        delayed,
        in_flight,
        dead,
        dead_dropped,
        oldest_age,
        first_receipt: Ulid::from_string(&nonce).ok().map(|nonce| nonce.timestamp_ms()),
    })
}
