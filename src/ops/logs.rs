//! HTTP of the log: its newest lines.

use std::path::PathBuf;

use rocket::fairing::AdHoc;
use rocket::http::ContentType;
use rocket::tokio::task::spawn_blocking;
use rocket::{FromForm, State};
use tracing::Level;

use super::tail::{self, Wanted};
use crate::config;
use crate::error::ApiError;
use crate::http::RequestId;
use crate::http::body::NoBody;
use crate::http::query::number;
use crate::http::token::Authorized;

/// The default of `lines`.
const LINES: usize = 200;
/// The maximum of `lines`.
const LINES_MAX: usize = 10_000;

/// Mounts `/logs` and `/log_file`, which are the same, on the files of this configuration.
#[must_use]
pub fn stage(config: &config::Logs) -> AdHoc {
    let directory = LogDirectory(config.directory.clone());
    AdHoc::on_ignite("Logs", |rocket| async {
        rocket
            .manage(directory)
            .mount("/", rocket::routes![logs, log_file])
    })
}

/// `LOG_DIR`; none without files.
struct LogDirectory(Option<PathBuf>);

type Text = (ContentType, String);

/// The filter of the lines, as the client wrote it.
#[derive(FromForm)]
struct Query<'r> {
    lines: Option<&'r str>,
    level: Option<&'r str>,
    request_id: Option<&'r str>,
}

#[rocket::get("/logs?<query..>", data = "<_none>")]
async fn logs(
    _authorized: Authorized,
    _none: NoBody,
    query: Query<'_>,
    directory: &State<LogDirectory>,
) -> Result<Text, ApiError> {
    newest(query, directory).await
}

#[rocket::get("/log_file?<query..>", data = "<_none>")]
async fn log_file(
    _authorized: Authorized,
    _none: NoBody,
    query: Query<'_>,
    directory: &State<LogDirectory>,
) -> Result<Text, ApiError> {
    newest(query, directory).await
}

async fn newest(query: Query<'_>, directory: &LogDirectory) -> Result<Text, ApiError> {
    let wanted = query.parse()?;
    let text = match directory.0.clone() {
        None => String::new(),
        Some(directory) => spawn_blocking(move || tail::newest(&directory, &wanted))
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))?
            .map_err(|error| ApiError::Internal(format!("the log cannot be read: {error}")))?,
    };
    Ok((ContentType::Plain, text))
}

impl Query<'_> {
    fn parse(&self) -> Result<Wanted, ApiError> {
        let refused = |sentence: String| ApiError::OutOfRange(sentence);
        Ok(Wanted {
            lines: number("lines", self.lines, 1..=LINES_MAX, LINES)?,
            level: parse(self.level, level)
                .ok_or_else(|| refused("level must be error, warn, info, debug or trace.".to_owned()))?,
            request_id: parse(self.request_id, RequestId::parse)
                .ok_or_else(|| refused("request_id must be 1 to 128 visible ASCII characters.".to_owned()))?,
        })
    }
}

/// The value of a parameter, `Some(None)` if it is absent, and `None` if it is wrong.
fn parse<T>(parameter: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    parameter.map_or(Some(None), |text| parse(text).map(Some))
}

/// Only by name: `tracing` also reads numbers.
fn level(text: &str) -> Option<Level> {
    let name = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.parse().ok().filter(|_| name)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::level;

    #[test]
    fn a_level_is_a_name_in_any_case() {
        assert_eq!(
            (level("error"), level("Warn")),
            (Some(Level::ERROR), Some(Level::WARN))
        );
        for wrong in ["", "1", "loud", " info", "information"] {
            assert_eq!(level(wrong), None, "{wrong}");
        }
    }
}
