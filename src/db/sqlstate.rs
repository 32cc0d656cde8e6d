//! Distinguishes the errors that PostgreSQL distinguishes by SQLSTATE (PostgreSQL manual, appendix A).
//!
//! Diesel exposes an error's message but not its SQLSTATE, and messages come in the language of
//! `lc_messages`. So each connection checks, before it is used, that they are in English.

use diesel::result::DatabaseErrorKind::{
    ClosedConnection, ReadOnlyTransaction, UnableToSendCommand, Unknown,
};
use diesel::result::Error;

/// Run at the start of each connection: fails with a hint if messages are not in English.
pub(super) const ENGLISH_MESSAGES: &str = "DO $$ BEGIN
    IF current_setting('lc_messages') !~* '^($|C$|C\\.|POSIX|en)' THEN
        PERFORM set_config('lc_messages', 'C', false);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'messages are in % and must be in English: ALTER ROLE % SET lc_messages TO ''C''',
        current_setting('lc_messages'), current_user;
END $$;";

/// 55P03: `NOWAIT` found a row locked by another transaction.
#[must_use]
pub fn is_lock_not_available(error: &Error) -> bool {
    match error {
        Error::DatabaseError(Unknown, information) => {
            information.message().starts_with("could not obtain lock on row")
        }
        _ => false,
    }
}

/// 25006: a write on a read-only server, such as a primary that became a standby.
#[must_use]
pub(super) fn takes_no_writes(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(ReadOnlyTransaction, _))
}

/// Whether one item of a batch may be at fault, so that the others can succeed without it. That is not the case if the
/// server shuts down, is read-only, or is out of disk (53100), memory (53200) or connections (53300), nor if the
/// statement timed out or was canceled (57014).
#[must_use]
pub(super) fn may_concern_one_item(error: &Error) -> bool {
    /// PostgreSQL's own messages, and those of the C library behind them.
    const WORDS: [&str; 12] = [
        "Read-only file system",
        "Input/output error",
        "Too many open files",
        "Cannot allocate memory",
        "out of memory",
        "out of shared memory",
        "too many clients already",
        "too many connections",
        "remaining connection slots are reserved",
        "terminating connection",
        "the database system is",
        "canceling statement due to",
    ];
    match error {
        Error::DatabaseError(Unknown, information) => {
            let message = information.message();
            !is_disk_full(message) && !WORDS.iter().any(|words| message.contains(words))
        }
        Error::DatabaseError(ClosedConnection | UnableToSendCommand | ReadOnlyTransaction, _) => false,
        _ => true,
    }
}

/// 53100: the disk, or the server's share of it, is full.
#[must_use]
pub(super) fn is_disk_full(message: &str) -> bool {
    ["No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error};

    use super::may_concern_one_item;

    fn unknown(message: &str) -> Error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
    }

    #[test]
    fn a_server_out_of_resources_is_not_an_items_fault() {
        for message in [
            "could not extend file \"base/5/16385\": No space left on device",
            "could not resize shared memory segment \"/PostgreSQL.1\": No space left on device",
            "could not write to file \"pg_wal/xlogtemp.7\": Disk quota exceeded",
            "could not open file \"base/5/16385\": Read-only file system",
            "could not read block 3 in file \"base/5/16385\": Input/output error",
            "could not open file \"base/5/16385\": Too many open files",
            "could not fork new process for connection: Cannot allocate memory",
            "out of memory",
            "out of shared memory",
            "remaining connection slots are reserved for non-replication superuser connections",
            "the database system is shutting down",
            "sorry, too many clients already",
            "too many connections for role \"order_api\"",
            "terminating connection due to administrator command",
            "canceling statement due to statement timeout",
        ] {
            assert!(!may_concern_one_item(&unknown(message)), "{message}");
        }
        let message = "cannot execute INSERT in a read-only transaction".to_owned();
        let error = Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, Box::new(message));
        assert!(!may_concern_one_item(&error));
    }

    #[test]
    fn an_items_fault_is_not_the_servers() {
        for message in [
            "could not obtain lock on row in relation \"orders\"",
            "value \"9\" is out of range for type integer",
            "deadlock detected",
        ] {
            assert!(may_concern_one_item(&unknown(message)), "{message}");
        }
    }
}
