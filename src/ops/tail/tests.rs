//! Only the reading, on files as a service and as accidents leave them.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::TempDir;
use tracing::Level;

use super::{LINE_MAX, Wanted, newest};
use crate::http::RequestId;

/// A directory with these files, the newest first.
fn directory(files: &[&[u8]]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (age, content) in files.iter().enumerate() {
        let name = [".1", ".2", ".3"].get(age.wrapping_sub(1)).unwrap_or(&"");
        fs::write(directory.path().join(format!("app.log{name}")), content).unwrap();
    }
    directory
}

fn wanted(lines: usize) -> Wanted {
    Wanted {
        lines,
        level: None,
        request_id: None,
    }
}

fn text(directory: &TempDir, wanted: &Wanted) -> String {
    newest(directory.path(), wanted).unwrap()
}

/// In the service's format; `number` varies the length of lines.
fn line(number: usize, level: &str) -> String {
    let id = "x".repeat(number % 97);
    format!(r#"{{"timestamp":"now","level":"{level}","request_id":"{number}-{id}","status":200}}"#) + "\n"
}

#[test]
fn the_newest_lines_come_with_the_oldest_of_them_first() {
    let all: Vec<String> = (0..5000).map(|number| line(number, "INFO")).collect();
    let directory = directory(&[all.concat().as_bytes()]);
    for lines in [1, 2, 199, 4999, 5000, 10_000] {
        let expected = all[all.len().saturating_sub(lines)..].concat();
        assert_eq!(text(&directory, &wanted(lines)), expected, "{lines}");
    }
}

#[test]
fn a_file_that_somebody_has_filled_is_read_at_its_end_alone() {
    let directory = directory(&[b""]);
    let mut file = File::create(directory.path().join("app.log")).unwrap();
    file.set_len(1 << 40).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(b"\n1\n2\n").unwrap();
    assert_eq!(text(&directory, &wanted(10)), "1\n2\n");
}

#[test]
fn older_files_are_read_when_the_current_one_has_too_few_lines() {
    let directory = directory(&[b"5\n", b"3\n4\n", b"2\n", b"1\n"]);
    assert_eq!(text(&directory, &wanted(10)), "1\n2\n3\n4\n5\n");
    assert_eq!(text(&directory, &wanted(2)), "4\n5\n");
    fs::remove_file(directory.path().join("app.log")).unwrap();
    assert_eq!(text(&directory, &wanted(2)), "3\n4\n");
}

#[test]
fn a_file_renamed_while_opening_is_read_once() {
    let directory = directory(&[b"2\n3\n", b"", b"1\n"]);
    let path = |name: &str| directory.path().join(name);
    fs::remove_file(path("app.log.1")).unwrap();
    fs::hard_link(path("app.log"), path("app.log.1")).unwrap();
    assert_eq!(text(&directory, &wanted(10)), "1\n2\n3\n");
}

#[test]
fn a_level_shows_lines_of_at_least_that_severity() {
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    let all: Vec<String> = (0..5).map(|number| line(number, levels[number])).collect();
    let directory = directory(&[all.concat().as_bytes()]);
    let least = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    for (rank, level) in least.into_iter().enumerate() {
        let mut wanted = wanted(10);
        wanted.level = Some(level);
        assert_eq!(text(&directory, &wanted), all[rank..].concat());
    }
}

#[test]
fn a_request_id_is_compared_whole_and_in_its_own_field() {
    let lines = [
        r#"{"level":"INFO","request_id":"a\"b"}"#,
        r#"{"level":"INFO","request_id":"a\"bc"}"#,
        r#"{"level":"INFO","message":"a\"b"}"#,
        r#"{"level":"INFO","message":"\"a\\\"b\"","request_id":"other"}"#,
        r#"not JSON, "a\"b""#,
    ];
    let directory = directory(&[(lines.join("\n") + "\n").as_bytes()]);
    let mut wanted = wanted(10);
    wanted.request_id = RequestId::parse("a\"b");
    assert_eq!(text(&directory, &wanted), format!("{}\n", lines[0]));
}

#[test]
fn an_incomplete_line_is_left_out_until_it_is_complete() {
    let directory = directory(&[b"whole\nhal", b"older\n"]);
    assert_eq!(text(&directory, &wanted(10)), "older\nwhole\n");
}

#[test]
fn garbage_is_shown_lossily_and_matches_no_filter() {
    let directory = directory(&[b"\xff\xfe\0garbage\n\n\n{\"level\":\"INFO\"}\n{\"level\":\n"]);
    let shown = "\u{fffd}\u{fffd}\0garbage\n{\"level\":\"INFO\"}\n{\"level\":\n";
    assert_eq!(text(&directory, &wanted(10)), shown);
    let mut filtered = wanted(10);
    filtered.level = Some(Level::TRACE);
    assert_eq!(text(&directory, &filtered), "{\"level\":\"INFO\"}\n");
}

#[test]
fn a_huge_line_is_left_out_and_those_around_it_stay() {
    let huge = "x".repeat(10 * LINE_MAX);
    let directory = directory(&[format!("1\n{huge}\n2\n").as_bytes(), huge.as_bytes()]);
    assert_eq!(text(&directory, &wanted(10)), "1\n2\n");
}

#[test]
fn without_a_file_there_are_no_lines() {
    let directory = directory(&[]);
    assert_eq!(text(&directory, &wanted(10)), "");
    let missing = directory.path().join("missing");
    assert_eq!(newest(&missing, &wanted(10)).unwrap(), "");
    assert_eq!(newest(Path::new("/dev/null"), &wanted(10)).unwrap(), "");
}
