//! A panic is one line of the log, not text between the lines.

use std::panic::{self, PanicHookInfo};

/// From now on, instead of Rust's own text on standard error.
pub(super) fn log_them() {
    panic::set_hook(Box::new(log));
}

fn log(panicked: &PanicHookInfo<'_>) {
    tracing::error!(
        reason = panicked.payload_as_str().unwrap_or("no message"),
        location = panicked.location().map(tracing::field::display),
        thread = std::thread::current().name(),
        "a thread panicked"
    );
}

#[cfg(test)]
mod tests {
    use std::{panic, thread};

    use crate::telemetry::logs::format::tests::logged;

    #[test]
    fn a_panic_is_one_line_with_message_and_location() {
        let (here, before) = (thread::current().id(), panic::take_hook());
        // Other tests panic as before.
        panic::set_hook(Box::new(move |panicked| match thread::current().id() == here {
            true => super::log(panicked),
            false => before(panicked),
        }));
        let line = logged(|| {
            panic::catch_unwind(|| panic!("{} is not a number", "seven")).unwrap_err();
        });
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["reason"], "seven is not a number");
        assert!(
            line["location"]
                .as_str()
                .unwrap()
                .starts_with("src/telemetry/panics.rs:")
        );
    }
}
