//! Connects to one host, and checks that its server may be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Bool};
use diesel::{Connection, RunQueryDsl, select};
use secrecy::{ExposeSecret, SecretString};

use super::connect::ConnectError;
use super::profile::Profile;
use super::session::{Session, Trust};
use super::sqlstate;
use crate::config;

/// 1 for a new cluster, incremented by each promotion of a standby.
const TIMELINE: &str = "CASE WHEN pg_is_in_recovery() THEN 0 \
     ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END";

/// The hosts that PostgreSQL may run on.
pub(super) struct Hosts {
    urls: Vec<SecretString>,
    /// The first statements of each connection.
    settings: String,
    trust: Arc<Trust>,
    /// The highest timeline that any server has reported.
    timeline: AtomicI64,
}

impl Hosts {
    pub(super) fn new(config: &config::Database, profile: &Profile) -> Self {
        Self {
            urls: config.hosts.clone(),
            settings: format!(
                "SET application_name = 'order-api'; {}; {} SET statement_timeout = {}",
                profile.settings,
                sqlstate::ENGLISH_MESSAGES,
                profile.statement_timeout.as_millis(),
            ),
            trust: Arc::default(),
            timeline: AtomicI64::new(0),
        }
    }

    pub(super) fn number(&self) -> usize {
        self.urls.len()
    }

    /// The number of statements that were not answered.
    pub(super) fn silences(&self) -> u64 {
        self.trust.now().0
    }

    /// A connection to this host; takes as long as libpq does.
    ///
    /// # Errors
    /// The server is unreachable, or another one has taken over from it.
    pub(super) fn open(&self, host: usize) -> Result<Session, ConnectError> {
        let url = self.urls.get(host).ok_or(ConnectError::Crowded)?;
        let (silences, mut demotions) = self.trust.now();
        let mut connection = PgConnection::establish(url.expose_secret())?;
        connection.batch_execute(&self.settings)?;
        let read_only = sql::<Bool>("current_setting('transaction_read_only')::bool");
        let read_only = select(read_only).get_result(&mut connection)?;
        // Not every server reports it; one that does not is trusted.
        if self.number() > 1
            && let Ok(timeline) = select(sql::<BigInt>(TIMELINE)).get_result::<i64>(&mut connection)
            && timeline > 0
            && self.is_promoted(timeline)?
        {
            self.trust.failed_over();
            demotions = self.trust.now().1;
        }
        let trust = Arc::clone(&self.trust);
        Ok(Session::new(connection, trust, (silences, demotions), read_only))
    }

    /// Whether the server on this timeline has taken over from one of an earlier connection.
    fn is_promoted(&self, timeline: i64) -> Result<bool, ConnectError> {
        let highest = self.timeline.fetch_max(timeline, Ordering::SeqCst);
        if timeline < highest {
            return Err(ConnectError::LeftBehind(timeline));
        }
        Ok(highest > 0 && timeline > highest)
    }
}
