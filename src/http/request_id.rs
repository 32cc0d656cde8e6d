//! The id of a request: the client's own if it is valid, else a new one; on the answer and in every log line.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use rocket::Request;
use rocket::http::Header;
use ulid::Ulid;

use super::refusal::Refused;

const HEADER: &str = "X-Request-ID";

/// The state of a request, recorded when it comes in.
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) id: RequestId,
    /// Whether the fairing saw the request: one that Rocket could not read does not reach it.
    pub(super) is_noted: bool,
    /// Whether the client disconnected before the first bytes of its body arrived.
    pub(super) cut_off: bool,
    /// Why a guard refused it.
    pub(super) refusal: OnceLock<Refused>,
}

impl Arrival {
    /// Records a request that was read.
    pub(super) fn note(request: &Request<'_>, cut_off: bool) {
        request.local_cache(|| Self {
            is_noted: true,
            cut_off,
            ..Self::new(request)
        });
    }

    fn new(request: &Request<'_>) -> Self {
        Self {
            at: Instant::now(),
            id: RequestId::sent_with(request).unwrap_or_else(RequestId::new),
            is_noted: false,
            cut_off: false,
            refusal: OnceLock::new(),
        }
    }

    /// The state of this request, the same at every call.
    pub(super) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(|| Self::new(request))
    }
}

/// 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id of this request, the same at every call.
    #[must_use]
    pub fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        &Arrival::of(request).id
    }

    fn new() -> Self {
        Self(Ulid::generate().to_string())
    }

    fn sent_with(request: &Request<'_>) -> Option<Self> {
        let mut sent = request.headers().get(HEADER);
        let id = sent.next()?;
        sent.next().is_none().then(|| Self::parse(id))?
    }

    /// The id, if it is valid.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        is_sane(id).then(|| Self(id.to_owned()))
    }

    /// The id as written in headers, bodies and logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&RequestId> for Header<'static> {
    fn from(id: &RequestId) -> Self {
        Self::new(HEADER, id.0.clone())
    }
}

fn is_sane(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::is_sane;

    #[test]
    fn valid_ids_are_short_and_visible() {
        for id in ["a", "01J0000", "{\"quoted\"}", &"x".repeat(128)] {
            assert!(is_sane(id), "{id}");
        }
        for id in ["", "a b", "tab\t", "é", "line\n", &"x".repeat(129)] {
            assert!(!is_sane(id), "{id}");
        }
    }
}
