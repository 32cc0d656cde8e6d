//! Checks the source against its own rules: imports only as docs/ARCHITECTURE.md draws them, files and functions of
//! readable length, and docs that name only existing files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that panics has failed, as it should"
)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_MAX: usize = 300;
const FUNCTION_MAX: usize = 60;

/// Directories of sources and pages, from the root of the repository.
const FOLDERS: [&str; 6] = ["src", "tests", "loadtests", "bench", "docs", "migrations"];
/// Paths that a page may name before they exist.
const MADE_LATER: [&str; 4] = ["var/", "backups/", "target/", "loadtests/reports/"];

fn files(extension: &str) -> Vec<String> {
    let mut folders: Vec<_> = FOLDERS.map(PathBuf::from).to_vec();
    let mut entries: Vec<_> = fs::read_dir(".")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut folders } else { &mut entries }.push(path);
        }
    }
    entries.retain(|path| path.extension().is_some_and(|of| of == extension));
    let name = |path: PathBuf| path.to_str().unwrap().trim_start_matches("./").to_owned();
    entries.into_iter().map(name).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The first part of a path below src/: a folder, or a file without its ending.
fn room(file: &str) -> Option<&str> {
    let room = file.strip_prefix("src/")?.split('/').next()?;
    Some(room.trim_end_matches(".rs"))
}

/// The rooms after `crate::`; `crate::{a, b}` names several.
fn imports(source: &str) -> impl Iterator<Item = &str> {
    let is_end = |letter: char| !letter.is_alphanumeric() && letter != '_';
    source.split("crate::").skip(1).flat_map(move |rest| {
        let several = rest.strip_prefix('{').and_then(|rest| rest.split('}').next());
        let names = several.or_else(|| rest.split(is_end).next()).unwrap_or(rest);
        let rooms = names
            .split(',')
            .filter_map(move |name| name.trim().split(is_end).next());
        rooms.filter(|room| !room.is_empty())
    })
}

/// In `a → b, c → d`: a is 0, b and c are 1, d is 2.
fn ranks(drawing: &str) -> HashMap<&str, usize> {
    let ranked = drawing.split('→').enumerate();
    ranked
        .flat_map(|(rank, rooms)| rooms.split(',').map(move |room| (room.trim(), rank)))
        .collect()
}

#[test]
fn a_room_imports_only_rooms_drawn_below_it() {
    let page = read("docs/ARCHITECTURE.md");
    let drawing = page
        .split("```text\nmain → ")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let ranks = ranks(drawing);
    let rank = |room: &str| *ranks.get(room).unwrap_or_else(|| panic!("{room} is not drawn"));
    for file in files("rs") {
        let Some(room) = room(&file).filter(|room| !["main", "lib"].contains(room)) else {
            continue;
        };
        for imported in imports(&read(&file)).filter(|imported| *imported != room) {
            assert!(rank(room) < rank(imported), "{file} imports {imported}");
        }
    }
}

#[test]
fn files_and_functions_are_short() {
    for file in files("rs") {
        let source = read(&file);
        let lines: Vec<_> = source.lines().collect();
        assert!(lines.len() <= FILE_MAX, "{file} has {} lines", lines.len());
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
            let indentation = line.len() - line.trim_start().len();
            let end = format!("{}}}", &line[..indentation]);
            let length = lines[at..].iter().position(|line| *line == end).unwrap_or(0) + 1;
            assert!(length <= FUNCTION_MAX, "{file}:{} has {length} lines", at + 1);
        }
    }
}

fn is_function(line: &str) -> bool {
    let words = line.trim_start();
    let qualifiers = ["pub", "async", "const", "fn"];
    words.contains("fn ")
        && qualifiers.iter().any(|word| words.starts_with(word))
        && !words.ends_with(['}', ';'])
}

/// The content of a backtick pair or a link target.
fn names(page: &str) -> impl Iterator<Item = &str> {
    let quoted = page.split('`').skip(1).step_by(2);
    let linked = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    quoted.chain(linked)
}

/// Whether this is the path of a file in the repository, and not a URL, a command or a pattern.
fn is_path(name: &str) -> bool {
    let first = name.trim_start_matches("../").split('/').next().unwrap_or("");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    name.contains('/') && name.chars().all(plain) && !name.starts_with('/') && Path::new(first).is_dir()
}

#[test]
fn every_path_in_a_page_exists() {
    for page in files("md") {
        let folder = Path::new(&page).parent().unwrap();
        let text = read(&page);
        for name in names(&text).map(|name| name.split('#').next().unwrap_or(name)) {
            let is_made_later = MADE_LATER.iter().any(|made| name.starts_with(made));
            if is_path(name) && !is_made_later {
                assert!(
                    Path::new(name).exists() || folder.join(name).exists(),
                    "{page} names {name}"
                );
            }
        }
    }
}
