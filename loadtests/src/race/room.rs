//! The rules of a round, without waiting: who takes part, and whether the result is correct.

use super::Tally;

/// How a courier's attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This courier has the order.
    Won,
    /// Another courier has the order.
    Lost,
    /// No answer, or an inconclusive one.
    Unknown,
}

/// Violations of the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another courier has also won the order.
    Double,
    /// All have lost: nobody has the order, or its winner was not told.
    Nobody,
}

/// The couriers that wait for a round, and the running round.
#[derive(Default)]
pub struct Room {
    /// The number of rounds that were opened or canceled.
    rounds: u64,
    waiting: u64,
    running: Option<Round>,
    /// The number of couriers in the previous round.
    last_takers: u64,
    pub tally: Tally,
}

struct Round {
    number: u64,
    order: u64,
    outstanding: u64,
    winners: u64,
    unknown: bool,
    elsewhere: bool,
}

impl Room {
    /// The number of this courier's round, and whether it is the first one in the room.
    pub fn enter(&mut self) -> (u64, bool) {
        self.waiting += 1;
        (self.rounds + 1, self.waiting == 1)
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether everyone has returned from the previous round.
    pub fn is_full(&self) -> bool {
        self.waiting >= self.last_takers
    }

    /// Starts all who wait on this order.
    pub fn open(&mut self, order: u64) {
        self.rounds += 1;
        self.last_takers = self.waiting;
        self.running = Some(Round {
            number: self.rounds,
            order,
            outstanding: self.waiting,
            winners: 0,
            unknown: false,
            elsewhere: false,
        });
        self.tally.takers += self.waiting;
        self.waiting = 0;
    }

    /// Releases all who wait.
    pub fn give_up(&mut self) {
        self.rounds += 1;
        self.waiting = 0;
    }

    pub fn order(&self, round: u64) -> Option<u64> {
        let running = self.running.as_ref()?;
        (running.number == round).then_some(running.order)
    }

    /// A courier has left without a result.
    pub fn leave(&mut self, round: u64) {
        if round > self.rounds {
            self.waiting -= 1;
        } else if self.order(round).is_some() {
            let _ = self.answer(Ending::Unknown, false);
        }
    }

    /// A courier of the running round has its answer.
    pub fn answer(&mut self, ending: Ending, elsewhere: bool) -> Result<(), Fault> {
        let Some(round) = self.running.as_mut() else {
            return Ok(());
        };
        round.outstanding -= 1;
        round.elsewhere |= elsewhere;
        round.unknown |= ending == Ending::Unknown;
        round.winners += u64::from(ending == Ending::Won);
        let double = ending == Ending::Won && (round.winners > 1 || elsewhere);
        self.tally.doubles += u64::from(double);
        let settled = round.outstanding == 0;
        let nobody = settled && self.settle();
        match (double, nobody) {
            (true, _) => Err(Fault::Double),
            (_, true) => Err(Fault::Nobody),
            _ => Ok(()),
        }
    }

    /// Ends the round; true if it has no winner and only the service can be at fault.
    fn settle(&mut self) -> bool {
        let Some(round) = self.running.take() else {
            return false;
        };
        self.tally.orders += 1;
        self.tally.winners += u64::from(round.winners > 0);
        let excused = round.unknown || round.elsewhere;
        self.tally.undecided += u64::from(round.winners == 0 && excused);
        let nobody = round.winners == 0 && !excused;
        self.tally.nobody += u64::from(nobody);
        nobody
    }
}
