//! Many couriers race for the same order at the same moment, one order after another.
//!
//! Couriers gather in a room. The first one is the starter: it waits until the previous round is over, places an
//! order, gives the couriers of the last round a moment to return, and opens the round: everyone in the room starts
//! at once. The round is over when each of them has an answer, or has left.
//!
//! Users come and go as the dashboard decides, so rounds wait for seats, not for users: a
//! [`Seat`] that is dropped counts itself out, and a starter that fails releases the others.

mod room;
mod tally;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use room::Room;
pub use room::{Ending, Fault};
pub use tally::Tally;

/// How long a round waits for the couriers of the previous one.
const GATHER: Duration = Duration::from_millis(10);

/// The room, and notifications for those who wait in it.
#[derive(Default)]
pub struct Race {
    room: Mutex<Room>,
    /// The number of the newest round that was opened or canceled.
    opened: watch::Sender<u64>,
    /// Something changed that the starter may be waiting for.
    changed: Notify,
}

/// A courier's place in one round.
pub struct Seat<'a> {
    race: &'a Race,
    round: u64,
    starter: bool,
    answered: bool,
}

impl Race {
    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the next round.
    pub fn enter(&self) -> Seat<'_> {
        let (round, starter) = self.room().enter();
        self.changed.notify_one();
        Seat {
            race: self,
            round,
            starter,
            answered: false,
        }
    }

    /// The results of all rounds.
    pub fn tally(&self) -> Tally {
        self.room().tally
    }
}

impl Seat<'_> {
    /// Whether this courier must place the order and [`Self::open`] the round.
    pub fn is_starter(&self) -> bool {
        self.starter
    }

    /// Waits until the previous round is over.
    pub async fn until_settled(&self) {
        while self.race.room().is_running() {
            self.race.changed.notified().await;
        }
    }

    /// Starts everyone in the room on this order.
    pub async fn open(&mut self, order: u64) {
        let full = async {
            while !self.race.room().is_full() {
                self.race.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(GATHER, full).await;
        self.starter = false;
        self.race.room().open(order);
        self.race.opened.send_replace(self.round);
    }

    /// The order of the round, once it is open; none if the starter has canceled it.
    pub async fn order(&self) -> Option<u64> {
        let mut opened = self.race.opened.subscribe();
        opened.wait_for(|opened| *opened >= self.round).await.ok()?;
        self.race.room().order(self.round)
    }

    /// Reports the result, and returns a fault that it reveals. `elsewhere`: a courier outside the race may have
    /// taken the order.
    ///
    /// # Errors
    /// The fault that this result reveals.
    pub fn answer(mut self, ending: Ending, elsewhere: bool) -> Result<(), Fault> {
        self.answered = true;
        let judged = self.race.room().answer(ending, elsewhere);
        self.race.changed.notify_one();
        judged
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let mut room = self.race.room();
        if self.starter {
            room.give_up();
            self.race.opened.send_replace(self.round);
        } else {
            room.leave(self.round);
        }
        drop(room);
        self.race.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ending, Fault, Race};

    /// A round of this order with one courier per ending; returns the faults that they report.
    async fn round(race: &Race, order: u64, endings: &[Ending]) -> Vec<Fault> {
        let mut seats: Vec<_> = endings.iter().map(|_| race.enter()).collect();
        assert!(seats[0].is_starter() && !seats[1].is_starter());
        seats[0].until_settled().await;
        seats[0].open(order).await;
        let mut faults = Vec::new();
        for (seat, ending) in seats.into_iter().zip(endings) {
            assert_eq!(seat.order().await, Some(order));
            faults.extend(seat.answer(*ending, false).err());
        }
        faults
    }

    #[tokio::test]
    async fn one_winner_is_correct() {
        let race = Race::default();
        for order in 1..100 {
            let faults = round(&race, order, &[Ending::Lost, Ending::Won, Ending::Lost]).await;
            assert!(faults.is_empty());
        }
        let tally = race.tally();
        assert_eq!((tally.orders, tally.winners, tally.doubles), (99, 99, 0));
        assert_eq!(tally.takers, 297);
    }

    #[tokio::test]
    async fn two_winners_and_none_are_faults() {
        let race = Race::default();
        assert_eq!(
            round(&race, 7, &[Ending::Won, Ending::Won]).await,
            [Fault::Double]
        );
        assert_eq!(
            round(&race, 8, &[Ending::Lost, Ending::Lost]).await,
            [Fault::Nobody]
        );
        assert_eq!((race.tally().doubles, race.tally().nobody), (1, 1));
    }

    #[tokio::test]
    async fn a_courier_without_an_answer_may_have_won() {
        let race = Race::default();
        let faults = round(&race, 7, &[Ending::Unknown, Ending::Lost]).await;
        assert!(faults.is_empty());
        assert_eq!(race.tally().undecided, 1);
    }

    #[tokio::test]
    async fn a_starter_that_fails_releases_the_others() {
        let race = Race::default();
        let starter = race.enter();
        let waiting = race.enter();
        drop(starter);
        assert_eq!(waiting.order().await, None);
        drop(waiting);
        assert!(round(&race, 8, &[Ending::Won, Ending::Lost]).await.is_empty());
    }

    #[tokio::test]
    async fn a_starter_waits_for_the_previous_round_and_its_couriers() {
        let race = Race::default();
        let (mut first, second) = (race.enter(), race.enter());
        first.open(7).await;
        assert_eq!(first.answer(Ending::Won, false), Ok(()));
        let mut next = race.enter();
        assert!(next.is_starter());
        let early = tokio::time::timeout(Duration::from_millis(1), next.until_settled());
        assert!(early.await.is_err());
        assert_eq!(second.answer(Ending::Lost, false), Ok(()));
        next.until_settled().await;
        let back = async { race.enter() };
        let ((), back) = tokio::join!(next.open(8), back);
        assert_eq!((next.order().await, back.order().await), (Some(8), Some(8)));
    }

    #[tokio::test]
    async fn a_courier_that_leaves_does_not_block_the_others() {
        let race = Race::default();
        let mut starter = race.enter();
        let leaving = race.enter();
        let gone_before = race.enter();
        drop(gone_before);
        starter.open(7).await;
        assert_eq!(leaving.order().await, Some(7));
        drop(leaving);
        assert_eq!(starter.answer(Ending::Lost, false), Ok(())); // the other one may have won
        assert!(round(&race, 8, &[Ending::Won, Ending::Lost]).await.is_empty());
        assert_eq!(race.tally().takers, 4);
    }
}
