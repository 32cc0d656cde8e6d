//! One event, one line of JSON: time, level, and the event's fields.
//!
//! A request logs one line, so this is on its path: the line is written directly to bytes, at less than half the
//! cost of `tracing_subscriber`'s own JSON.

use std::fmt::Debug;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// RFC 3339 to the microsecond, with a fixed length, so that lines sort by it.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
/// The initial size of a line: that of a request's.
const USUAL: usize = 320;

/// Passes each line to `F`.
pub(super) struct JsonLines<F>(pub(super) F);

impl<S: Subscriber, F: Fn(&[u8]) + 'static> Layer<S> for JsonLines<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0(&line(event));
    }
}

/// Whether a line is that of an error. Client data comes later in a line.
pub(super) fn is_error(line: &[u8]) -> bool {
    let level = b"\",\"level\":\"ERROR\"";
    line.windows(level.len()).take(64).any(|part| part == level)
}

fn line(event: &Event<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(USUAL);
    line.extend_from_slice(b"{\"timestamp\":\"");
    // It fails in the year 10,000.
    let _ = OffsetDateTime::now_utc().format_into(&mut line, TIMESTAMP);
    line.extend_from_slice(b"\",\"level\":\"");
    line.extend_from_slice(event.metadata().level().as_str().as_bytes());
    line.push(b'"');
    event.record(&mut Fields(&mut line));
    line.extend_from_slice(b"}\n");
    line
}

struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn write(&mut self, field: &Field, value: impl Serialize) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(field.name().as_bytes());
        self.0.extend_from_slice(b"\":");
        // Writing numbers and text to memory cannot fail.
        let _ = serde_json::to_writer(&mut *self.0, &value);
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, Text(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, value);
    }
}

/// The `Debug` output, as a JSON string.
struct Text<'a>(&'a dyn Debug);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:?}", self.0))
    }
}

#[cfg(test)]
pub(in crate::telemetry) mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::JsonLines;

    /// The lines logged meanwhile.
    pub(in crate::telemetry) fn logged(log: impl FnOnce()) -> Value {
        let written = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&written);
        let lines = JsonLines(move |line: &[u8]| to.lock().unwrap().extend_from_slice(line));
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, log);
        let line = written.lock().unwrap();
        assert_eq!(line.last(), Some(&b'\n'));
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn every_kind_of_field_is_json() {
        let line = logged(|| {
            tracing::warn!(a = -1, b = 2_u64, c = 0.5, d = f64::NAN, e = true, f = ?Some(1), g = "x", "it {}", 7);
        });
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "it 7");
        let fields = ["a", "b", "c", "d", "e", "f", "g"].map(|name| line[name].clone());
        let expected = [
            json!(-1),
            json!(2),
            json!(0.5),
            Value::Null,
            json!(true),
            json!("Some(1)"),
            json!("x"),
        ];
        assert_eq!(fields, expected);
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(
            timestamp.starts_with("20") && timestamp.ends_with('Z'),
            "{timestamp}"
        );
    }

    #[test]
    fn any_text_is_read_back_unchanged() {
        let ascii: String = (0..128_u8).map(char::from).collect();
        for text in ["", "\"", "\\", "a\"b\\c\nd", "é\u{2028}😀", &ascii] {
            let line = logged(|| tracing::info!(text, display = %text, "message"));
            assert_eq!(
                (line["text"].as_str(), line["display"].as_str()),
                (Some(text), Some(text))
            );
        }
    }
}
