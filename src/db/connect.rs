//! Connects to PostgreSQL without ever waiting for a server that does not answer.
//!
//! libpq connects in the caller's thread and tries one host after another, each for at least 2 s. So each attempt
//! has its own thread and one host. A caller waits for the first success of any attempt, and only for a
//! moment; an attempt that succeeds later serves the next caller.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::hosts::Hosts;
use super::race::{Outcome, Race, lock};
use super::session::Session;

/// The interval between attempts while they fail.
const PACE: Duration = Duration::from_millis(50);
/// The maximum of attempts in flight per host. libpq ends each after `connect_timeout`.
const ATTEMPTS: usize = 8;
/// The same including attempts that take longer, such as those that wait for a name server; one more per second.
const ATTEMPTS_MAX: usize = 64;
/// The maximum of connections that came too late for their caller, and how long they are kept for others.
const LATE: usize = 3;
const LATE_FOR: Duration = Duration::from_secs(2);

/// Why there is no connection, or why it must not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// libpq's error.
    #[error(transparent)]
    Connect(#[from] diesel::ConnectionError),
    /// The first statements failed, or the server has closed it.
    #[error(transparent)]
    Statement(#[from] diesel::result::Error),
    /// No attempt succeeded in time.
    #[error("PostgreSQL does not answer")]
    Silent,
    /// The maximum of attempts is in flight.
    #[error("too many attempts to connect are under way")]
    Crowded,
    /// The thread of the attempt could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A primary that missed the promotion of a standby.
    #[error("this server is on timeline {0}, and another one has been promoted since")]
    LeftBehind(i64),
    /// A similar one has failed.
    #[error("the connection was made before a statement was not answered, or before a failover")]
    Suspect,
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector(Arc<Shared>);

struct Shared {
    hosts: Hosts,
    state: Mutex<State>,
    /// An attempt has ended.
    ended: Condvar,
}

struct State {
    /// Established, and not fetched yet.
    ready: VecDeque<Session>,
    /// For each host.
    under_way: Vec<usize>,
    last_start: Option<Instant>,
    /// The host of the last connection.
    preferred: usize,
    /// The silences after which all hosts were tried.
    surveyed: u64,
    /// When the next attempt may begin; none while attempts succeed.
    pace: Option<Instant>,
}

impl Connector {
    pub(super) fn new(hosts: Hosts) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                ready: VecDeque::new(),
                under_way: vec![0; hosts.number()],
                last_start: None,
                preferred: 0,
                surveyed: hosts.silences(),
                pace: None,
            }),
            hosts,
            ended: Condvar::new(),
        }))
    }

    /// The number of attempts in flight.
    pub(super) fn under_way(&self) -> usize {
        lock(&self.0.state).under_way.iter().sum()
    }

    /// A connection, ready for statements, to the last host or to any that answers.
    ///
    /// # Errors
    /// All hosts refuse, or none has answered within 0.4 s.
    pub(super) fn connect(&self) -> Result<Session, ConnectError> {
        self.pace();
        let connected = self.race();
        let mut state = lock(&self.0.state);
        match connected {
            Ok(_) => state.pace = None,
            Err(_) => state.pace = state.pace.or_else(|| Some(Instant::now() + PACE)),
        }
        connected
    }

    /// While attempts fail, they begin one after another: a server that starts is busy enough.
    fn pace(&self) {
        let now = Instant::now();
        let turn = lock(&self.0.state).pace.as_mut().map(|next| {
            let turn = now.max(*next);
            *next = turn + PACE;
            turn
        });
        if let Some(turn) = turn {
            thread::sleep(turn.saturating_duration_since(now));
        }
    }

    fn race(&self) -> Result<Session, ConnectError> {
        let mut state = lock(&self.0.state);
        // After a silence the last host may be the wrong one.
        let silences = self.0.hosts.silences();
        let survey = self.0.hosts.number() > 1 && state.surveyed != silences;
        state.surveyed = silences;
        let mut race = Race::new(self.0.hosts.number(), state.preferred, survey);
        loop {
            let now = Instant::now();
            if race.is_settled(now)
                && let Some(session) = fetch(&mut state)
            {
                return Ok(session);
            }
            if let Some(host) = race.next_host(now) {
                if let Err(error) = self.start(&mut state, host, &race.outcome) {
                    lock(&race.outcome).fail(error);
                }
                continue;
            }
            if race.is_over(now) {
                let error = lock(&race.outcome).error.take();
                return Err(error.unwrap_or(ConnectError::Silent));
            }
            let wait = race.wake(now).saturating_duration_since(now);
            let woken = self.0.ended.wait_timeout(state, wait);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn start(
        &self,
        state: &mut State,
        host: usize,
        outcome: &Arc<Mutex<Outcome>>,
    ) -> Result<(), ConnectError> {
        let now = Instant::now();
        let recent = state
            .last_start
            .is_some_and(|last| now.duration_since(last) < Duration::from_secs(1));
        let most = if recent { ATTEMPTS } else { ATTEMPTS_MAX };
        let under_way = state
            .under_way
            .get_mut(host)
            .filter(|under_way| **under_way < most);
        *under_way.ok_or(ConnectError::Crowded)? += 1;
        state.last_start = Some(now);
        let (shared, outcome) = (Arc::clone(&self.0), Arc::clone(outcome));
        let started = thread::Builder::new()
            .name("connect".to_owned())
            .spawn(move || shared.attempt(host, &outcome));
        if started.is_err() {
            end(state, host);
        }
        started.map(drop).map_err(ConnectError::Thread)
    }
}

impl Shared {
    /// One attempt, on its own thread, for as long as it takes.
    fn attempt(&self, host: usize, outcome: &Mutex<Outcome>) {
        let made = self.hosts.open(host);
        let mut state = lock(&self.state);
        end(&mut state, host);
        let mut unwanted = None;
        match made {
            Ok(session) => {
                lock(outcome).ended += 1;
                state.preferred = host;
                state.ready.push_back(session);
                if state.ready.len() > LATE {
                    unwanted = state.ready.pop_front();
                }
            }
            Err(error) => lock(outcome).fail(error),
        }
        self.ended.notify_all();
        drop(state);
        drop(unwanted);
    }
}

/// The newest established connection, if it may be used.
fn fetch(state: &mut State) -> Option<Session> {
    while let Some(mut session) = state.ready.pop_back() {
        if session.age() < LATE_FOR && session.check().is_ok() {
            return Some(session);
        }
    }
    None
}

fn end(state: &mut State, host: usize) {
    if let Some(under_way) = state.under_way.get_mut(host) {
        *under_way = under_way.saturating_sub(1);
    }
}
