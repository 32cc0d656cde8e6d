//! Tells errors apart that PostgreSQL tells apart by SQLSTATE (PostgreSQL manual, appendix A).
//!
//! Diesel shows an error's message and not its SQLSTATE, and messages come in the language of
//! `lc_messages`. So each connection makes sure, before it is used, that they come in English.

use diesel::result::{DatabaseErrorKind, Error};

/// Run at the start of each connection: fails, and says what to do, where messages are not in English.
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
    begins_with(error, "could not obtain lock on row")
}

/// 57014: the statement took too long, or somebody ended it.
#[must_use]
pub(super) fn is_canceled(error: &Error) -> bool {
    begins_with(error, "canceling statement due to")
}

fn begins_with(error: &Error, message: &str) -> bool {
    match error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            information.message().starts_with(message)
        }
        _ => false,
    }
}
