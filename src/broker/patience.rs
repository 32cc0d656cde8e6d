//! Timeouts of a request to Redis.

use std::time::Duration;

use tokio::time::Instant;

/// How long a request waits for a connection.
const CONNECTION_WAIT: Duration = Duration::from_millis(800);
/// How long a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);

/// The deadline for sending a command, and the deadline for its answer. All commands of a request share
/// them.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub(super) begin_by: Instant,
    timeout: Duration,
}

impl Patience {
    /// For a request that begins now: 0.8 s for a connection, and 1 s for the answer.
    #[must_use]
    pub fn usual() -> Self {
        Self::beginning_by(Instant::now() + CONNECTION_WAIT)
    }

    /// For a batch whose first request has already waited.
    #[must_use]
    pub fn beginning_by(begin_by: Instant) -> Self {
        Self {
            begin_by,
            timeout: COMMAND_TIMEOUT,
        }
    }

    /// For a check, which ends within a second.
    pub(super) fn short() -> Self {
        Self {
            begin_by: Instant::now() + CONNECTION_WAIT / 2,
            timeout: COMMAND_TIMEOUT / 2,
        }
    }

    /// For a command sent at `now`; never later than for one sent at the last moment.
    pub(super) fn answer_by(&self, now: Instant) -> Instant {
        now.min(self.begin_by) + self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, Patience};

    #[test]
    fn the_commands_of_a_request_share_its_deadlines() {
        let began = Instant::now();
        let patience = Patience::beginning_by(began + Duration::from_millis(800));
        let answer_by = |sent| patience.answer_by(began + Duration::from_millis(sent)) - began;
        assert_eq!(answer_by(0), Duration::from_millis(1000));
        assert_eq!(answer_by(800), Duration::from_millis(1800));
        assert_eq!(answer_by(1500), Duration::from_millis(1800));
    }
}
