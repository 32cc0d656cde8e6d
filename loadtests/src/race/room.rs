//! The rules of a round, without waiting: who is in, who is out, and whether it went as it should.

use super::Tally;

/// How a courier's attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The order is the courier's.
    Won,
    /// The order is somebody else's.
    Lost,
    /// No answer, or none that decides it.
    Unknown,
}

/// What must never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Another courier has won the order too.
    Double,
    /// All have lost: the order is nobody's, or its winner was not told.
    Nobody,
}

/// The couriers that wait for a round, and the round that runs.
#[derive(Default)]
pub struct Room {
    /// Rounds that were opened or given up.
    rounds: u64,
    waiting: u64,
    running: Option<Round>,
    /// How many ran in the round before.
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
    /// The number of the round that this courier runs in, and whether it is the first one in the room.
    pub fn enter(&mut self) -> (u64, bool) {
        self.waiting += 1;
        (self.rounds + 1, self.waiting == 1)
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Everyone is back from the round before.
    pub fn is_full(&self) -> bool {
        self.waiting >= self.last_takers
    }

    /// All who wait go for this order.
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

    /// All who wait go home.
    pub fn give_up(&mut self) {
        self.rounds += 1;
        self.waiting = 0;
    }

    pub fn order(&self, round: u64) -> Option<u64> {
        let running = self.running.as_ref()?;
        (running.number == round).then_some(running.order)
    }

    /// A courier is gone without a word.
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

    /// Ends the round; true if it is nobody's fault but the service's that it has no winner.
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
