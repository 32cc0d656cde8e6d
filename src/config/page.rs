//! The table of settings for people: the values of this process, `.env.example`, and a page of the docs.

use std::fmt::Write;

use super::Environment;
use super::setting::{Default, Kind, Reader, Setting};
use super::settings::ALL;

/// The width of `.env.example`.
const WIDTH: usize = 100;
const READERS: [(Reader, &str); 3] = [
    (Reader::Service, "The service"),
    (Reader::Nginx, "Nginx, by `make run` and in containers"),
    (Reader::Containers, "The containers alone (docs/CONTAINERS.md)"),
];

/// The settings in this environment, with their sources; secrets are masked.
#[must_use]
pub fn values(environment: &Environment) -> String {
    let mut page = String::new();
    for setting in of(Reader::Service) {
        let set = environment.set(setting);
        let source = match (&set, &setting.default) {
            (Some(_), _) => "environment".to_owned(),
            (None, Default::Is(_)) => "default".to_owned(),
            (None, Default::Unset(holds)) => format!("not set: {holds}"),
            (None, Default::Required) => "not set, but required".to_owned(),
        };
        let value = match set.as_deref().or(setting.default()) {
            Some(value) if setting.hides(value) => "********",
            shown => shown.unwrap_or_default(),
        };
        let line = format!("{}={value}", setting.name);
        let _ = writeln!(page, "{line:<47} # {source}");
    }
    page
}

/// `.env.example`.
#[must_use]
pub fn example() -> String {
    let mut page = "# Every setting, with its default. An empty value counts as unset.\n\
                    # `make settings` writes this file from src/config/settings.rs.\n"
        .to_owned();
    for (reader, title) in READERS {
        let _ = writeln!(page, "\n# == {title} ==");
        for setting in of(reader) {
            let Setting { name, meaning, .. } = setting;
            page.push('\n');
            comment(&mut page, meaning);
            let line = format!("Values: {}. Default: {}", allowed(setting), default(setting));
            comment(&mut page, &line);
            let _ = writeln!(page, "{name}={}", setting.default().unwrap_or_default());
        }
    }
    page
}

/// docs/SETTINGS.md.
#[must_use]
pub fn markdown() -> String {
    let mut page = "# Settings\n\n\
        All settings are environment variables. An empty one counts as unset. The service checks its own\n\
        at the start, and stops with one line that names the first that is wrong. `order-api config` shows\n\
        what is set, and where the rest comes from; in a container, `start.sh config` reads the secrets\n\
        too. `make settings` writes this page and `.env.example` from `src/config/settings.rs`.\n"
        .to_owned();
    for (reader, title) in READERS {
        let head = "| setting | | values | default |\n| --- | --- | --- | --- |";
        let _ = writeln!(page, "\n## {title}\n\n{head}");
        for setting in of(reader) {
            let Setting { name, meaning, .. } = setting;
            let (values, default) = (allowed(setting), default(setting));
            let _ = writeln!(page, "| `{name}` | {meaning} | {values} | {default} |");
        }
    }
    page
}

fn of(reader: Reader) -> impl Iterator<Item = &'static Setting> {
    ALL.iter()
        .copied()
        .filter(move |setting| setting.reader == reader)
}

fn allowed(setting: &Setting) -> String {
    match setting.kind {
        Kind::Whole(unit, from, to) => format!("{from} to {to} {unit}").trim_end().to_owned(),
        Kind::OneOf(words) => words.join(", "),
        Kind::Text(what) => what.to_owned(),
        Kind::Secret(what) => format!("{what} (secret)"),
    }
}

fn default(setting: &Setting) -> &'static str {
    match setting.default {
        Default::Is(text) | Default::Unset(text) => text,
        Default::Required => "none, it is required",
    }
}

/// Lines that begin with `#`, wrapped between words.
fn comment(page: &mut String, text: &str) {
    let mut column = 0;
    for word in text.split_whitespace() {
        if column == 0 || column + 1 + word.len() > WIDTH {
            page.push_str(if column == 0 { "#" } else { "\n#" });
            column = 1;
        }
        let _ = write!(page, " {word}");
        column += 1 + word.len();
    }
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::settings::ALL;
    use super::{Default, Environment, Reader, example, markdown, values};

    const COMPOSE: &str = concat!(
        include_str!("../../docker-compose.yml"),
        include_str!("../../docker-compose.tls.yml")
    );

    #[test]
    fn env_example_and_the_docs_are_what_make_settings_writes() {
        assert!(
            example() == include_str!("../../.env.example"),
            "run `make settings`"
        );
        assert!(
            markdown() == include_str!("../../docs/SETTINGS.md"),
            "run `make settings`"
        );
    }

    #[test]
    fn every_setting_is_in_the_table_once() {
        let names: BTreeSet<&str> = ALL.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn the_containers_get_all_settings_with_the_defaults_of_the_table() {
        for setting in ALL {
            assert!(COMPOSE.contains(setting.name), "{}", setting.name);
            if let (Some((_, rest)), Default::Is(default)) = (
                COMPOSE.split_once(&format!("${{{}:-", setting.name)),
                &setting.default,
            ) {
                assert_eq!(rest.split('}').next(), Some(*default), "{}", setting.name);
            }
        }
    }

    #[test]
    fn values_show_their_source_and_no_secret() {
        let environment = Environment::of(&[
            ("LISTEN", "[::]:1"),
            ("OSRM_URL", "http://me:hunter2@osrm"),
            ("API_TOKEN", "hunter2"),
        ]);
        let page = values(&environment);
        assert!(!page.contains("hunter2"), "{page}");
        let line = |name: &str| {
            let line = page.lines().find(|line| line.starts_with(&format!("{name}=")));
            line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("LISTEN"), "LISTEN=[::]:1 # environment");
        assert_eq!(line("OSRM_URL"), "OSRM_URL=******** # environment");
        assert_eq!(line("API_TOKEN"), "API_TOKEN=******** # environment");
        assert_eq!(line("DATABASE_URL"), "DATABASE_URL= # not set, but required");
        assert_eq!(line("DATABASE_POOL_SIZE"), "DATABASE_POOL_SIZE=16 # default");
        assert_eq!(line("GMAP_TOKEN"), "GMAP_TOKEN= # not set: no key");
        let of_others = ALL.iter().filter(|setting| setting.reader != Reader::Service);
        assert!(
            of_others
                .into_iter()
                .all(|setting| !page.contains(&format!("\n{}=", setting.name)))
        );
    }
}
