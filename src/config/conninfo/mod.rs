//! Parses a libpq connection string: one string per host, with our defaults for missing
//! parameters.
//!
//! The string itself is not rewritten. In both of its forms the last value of a parameter counts (PostgreSQL
//! manual, 34.1.1), so defaults are put before the operator's parameters, and the address of one host after
//! them. Errors in the string are left to libpq.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A dead peer is noticed in seconds, instead of the system's minutes to hours. libpq accepts no smaller
/// `connect_timeout` than 2 s; the pool itself waits for less.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "2"),
    ("keepalives", "1"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "5000"),
];

/// Of several hosts, use only one that accepts writes.
const OF_SEVERAL: (&str, &str) = ("target_session_attrs", "read-write");

/// A connection string, and the strings of its hosts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Strings {
    /// All hosts, for libpq to try one after another.
    pub(super) whole: String,
    /// One per host, in their order; 1 or more.
    pub(super) hosts: Vec<String>,
}

impl Strings {
    /// Parses the operator's connection string.
    pub(super) fn of(given: &str) -> Self {
        let form = Form::of(given);
        let addresses = addresses(&form.parameters());
        let mut defaults = DEFAULTS.to_vec();
        if addresses.len() > 1 {
            defaults.push(OF_SEVERAL);
        }
        let whole = form.with(&defaults, &[]);
        let hosts = match &addresses[..] {
            [] | [_] => vec![whole.clone()],
            several => several.iter().map(|one| form.with(&defaults, one)).collect(),
        };
        Self { whole, hosts }
    }
}

/// Whether libpq can read it. If not, its message may contain a piece of a password that is not percent-encoded.
pub(super) fn is_sound(given: &str) -> bool {
    let Some((_, rest)) = given
        .split_once("://")
        .filter(|(scheme, _)| ["postgresql", "postgres"].contains(scheme))
    else {
        return given.contains('=');
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let is_port = |host: &str| name_and_port(host).1.bytes().all(|byte| byte.is_ascii_digit());
    // A percent-encoded byte is a % and two digits.
    let is_encoded = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    authority.matches('@').count() <= 1
        && hosts.split(',').all(is_port)
        && rest.split('%').skip(1).all(is_encoded)
}

/// The parameters that name one host.
type Address = Vec<(&'static str, String)>;

/// One address per host, by libpq's rules; none if their numbers differ, which libpq then reports.
fn addresses(parameters: &[(String, String)]) -> Vec<Address> {
    let list = |name: &str| {
        let value = parameters.iter().rev().find(|(key, _)| key == name);
        let value = value
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty());
        value.map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let (names, numbers, ports) = (list("host"), list("hostaddr"), list("port"));
    let Some(count) = numbers.as_ref().or(names.as_ref()).map(Vec::len) else {
        return Vec::new();
    };
    let matches = |of: &Option<Vec<String>>| of.as_ref().is_none_or(|list| list.len() == count);
    let one_port = ports.as_ref().is_some_and(|list| list.len() == 1);
    if !matches(&names) || !(one_port || matches(&ports)) {
        return Vec::new();
    }
    let at =
        |list: &Option<Vec<String>>, place: usize| list.as_ref().and_then(|list| list.get(place).cloned());
    let address = |place| {
        let port = if one_port { 0 } else { place };
        [
            ("host", at(&names, place)),
            ("hostaddr", at(&numbers, place)),
            ("port", at(&ports, port)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    };
    (0..count).map(address).collect()
}

/// A connection string in one of its two forms.
enum Form<'a> {
    /// `postgresql://`, the user, the hosts and the name of the database; then the part after the `?`.
    Url {
        before: &'a str,
        hosts: &'a str,
        query: &'a str,
    },
    /// `name=value name='value'`.
    Pairs(&'a str),
}

impl<'a> Form<'a> {
    fn of(given: &'a str) -> Self {
        let schemes = ["postgresql://", "postgres://"];
        let Some(rest) = schemes.iter().find_map(|scheme| given.strip_prefix(scheme)) else {
            return Self::Pairs(given);
        };
        // libpq looks for the user first, whose password may contain a `?`.
        let hosts_on = match rest.split_once('@') {
            Some((user, hosts_on)) if !user.contains('/') => hosts_on,
            _ => rest,
        };
        let (hosts, _) = hosts_on.split_once(['/', '?']).unwrap_or((hosts_on, ""));
        let (_, query) = hosts_on.split_once('?').unwrap_or((hosts_on, ""));
        let before = given.strip_suffix(query).unwrap_or(given);
        let before = before.strip_suffix('?').unwrap_or(before);
        Self::Url { before, hosts, query }
    }

    /// The decoded parameters.
    fn parameters(&self) -> Vec<(String, String)> {
        match self {
            Self::Url { hosts, query, .. } => {
                let (names, ports): (Vec<_>, Vec<_>) = hosts.split(',').map(name_and_port).unzip();
                let of_hosts = [("host", names.join(",")), ("port", ports.join(","))];
                let of_hosts = of_hosts.into_iter().filter(|(_, list)| !list.is_empty());
                let of_query = query.split('&').filter_map(|pair| pair.split_once('='));
                of_hosts
                    .map(|(name, list)| (name.to_owned(), decoded(&list)))
                    .chain(of_query.map(|(name, value)| (decoded(name), decoded(value))))
                    .collect()
            }
            Self::Pairs(text) => pairs(text),
        }
    }

    /// The same string, with these before and those after its own parameters.
    fn with(&self, before_it: &[(&str, &str)], after_it: &[(&str, String)]) -> String {
        let (own, separator, quote): (_, _, fn(&str) -> String) = match self {
            Self::Url { query, .. } => (*query, "&", encoded),
            Self::Pairs(text) => (*text, " ", quoted),
        };
        let first = before_it.iter().map(|(name, value)| format!("{name}={value}"));
        let own = Some(own.to_owned()).filter(|own| !own.is_empty());
        let last = after_it
            .iter()
            .map(|(name, value)| format!("{name}={}", quote(value)));
        let all: Vec<String> = first.chain(own).chain(last).collect();
        let all = all.join(separator);
        match self {
            Self::Url { before, .. } => format!("{before}?{all}"),
            Self::Pairs(_) => all,
        }
    }
}

/// `[::1]:5432` is an address and a port; either may be omitted.
fn name_and_port(host: &str) -> (&str, &str) {
    let bracketed = host.strip_prefix('[').and_then(|inside| inside.split_once(']'));
    match bracketed {
        Some((name, rest)) => (name, rest.strip_prefix(':').unwrap_or_default()),
        None => host.split_once(':').unwrap_or((host, "")),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// The pairs of a `name=value` string, up to the first invalid one.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = value(after.trim_start());
        found.push((name.trim().to_owned(), value));
        rest = after.trim_start();
    }
    found
}

/// A value, without its quotes and backslashes, and the rest of the string.
fn value(text: &str) -> (String, &str) {
    let inside = text.strip_prefix('\'');
    let ends = |letter: char| {
        if inside.is_some() {
            letter == '\''
        } else {
            letter.is_whitespace()
        }
    };
    let mut value = String::new();
    let mut letters = inside.unwrap_or(text).chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next()),
            end if ends(end) => break,
            other => value.push(other),
        }
    }
    (value, letters.as_str())
}

#[cfg(test)]
mod tests;
