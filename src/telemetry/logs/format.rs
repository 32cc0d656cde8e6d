//! One event, one line of JSON: time, level, and the event's fields side by side.
//!
//! A request is one line, so this is on its path: written straight to the line, at half the cost of
//! `tracing_subscriber`'s own JSON, which builds it by way of serde.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut fields = Fields {
            line: &mut line,
            written: Ok(()),
        };
        event.record(&mut fields);
        fields.written?;
        line.write_str("}\n")
    }
}

struct Fields<'a, 'w> {
    line: &'a mut Writer<'w>,
    written: fmt::Result,
}

impl Fields<'_, '_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.written.is_ok() {
            self.written = write!(self.line, ",\"{}\":", field.name()).and_then(|()| value(self.line));
        }
    }

    /// `true`, `7` and `0.5` are the same in JSON and in Rust.
    fn write_plain(&mut self, field: &Field, value: impl fmt::Display) {
        self.write(field, |line| write!(line, "{value}"));
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |line| {
            line.write_char('"')?;
            Escaped(line).write_str(value)?;
            line.write_char('"')
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, |line| {
            line.write_char('"')?;
            write!(Escaped(line), "{value:?}")?;
            line.write_char('"')
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write_plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write_plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write_plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.write_plain(field, value);
        } else {
            self.write_plain(field, "null");
        }
    }
}

/// Text inside the quotes of a JSON string (RFC 8259, 7).
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.bytes().any(|byte| must_be_escaped(byte.into())) {
            return self.0.write_str(text);
        }
        for part in text.split_inclusive(must_be_escaped) {
            let mut characters = part.chars();
            match characters.next_back() {
                Some(last) if must_be_escaped(last) => {
                    self.0.write_str(characters.as_str())?;
                    match last {
                        '"' => self.0.write_str("\\\""),
                        '\\' => self.0.write_str("\\\\"),
                        '\n' => self.0.write_str("\\n"),
                        control => write!(self.0, "\\u{:04x}", u32::from(control)),
                    }?;
                }
                _ => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

fn must_be_escaped(character: char) -> bool {
    matches!(character, '"' | '\\' | '\0'..='\u{1f}')
}

#[cfg(test)]
pub(in crate::telemetry) mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::JsonLines;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged meanwhile.
    pub(in crate::telemetry) fn logged(log: impl FnOnce()) -> Value {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer().event_format(JsonLines);
        let lines = lines.with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, log);
        let line = written.0.lock().unwrap().clone();
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
    fn any_text_comes_back_as_it_was() {
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
