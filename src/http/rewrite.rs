//! Normalizes a request for the routes.

use rocket::http::Method;
use rocket::http::uri::Origin;
use rocket::{Data, Request};

/// The bytes of a body that Rocket peeks at first: those of `_method=delete`.
const PEEKED: usize = 14;

/// Returns whether the client disconnected before the first bytes of its body arrived: the peek ended short of them,
/// and not at the end of the body. Must be called before any other peek, which would find an end there.
pub(super) async fn is_cut_off(data: &mut Data<'_>) -> bool {
    !data.peek_complete() && data.peek(PEEKED).await.len() < PEEKED
}

pub(super) async fn normalize(request: &mut Request<'_>, data: &mut Data<'_>) {
    if request.method() != Method::Post && is_form(request) {
        let body = data.peek(PEEKED).await;
        if was_a_post(request.method(), body) {
            request.set_method(Method::Post);
        }
    }
    if let Some(uri) = without_trailing_slash(request.uri()) {
        request.set_uri(uri);
    }
}

fn is_form(request: &Request<'_>) -> bool {
    request.content_type().is_some_and(|kind| kind.is_form())
}

/// Rocket reads another method from a POSTed form that begins with `_method`; here that must not change the method. It
/// does so only for a POST, so if the method differs from the body's, the request really has it. If both agree, the
/// request cannot be told from a POST, and counts as one. Nginx, which does not forward that type, can tell.
fn was_a_post(method: Method, body: &[u8]) -> bool {
    let value = body.strip_prefix(b"_method=").unwrap_or_default();
    let value = value.split(|byte| *byte == b'&').next().unwrap_or_default();
    value.eq_ignore_ascii_case(method.as_str().as_bytes())
}

fn without_trailing_slash(uri: &Origin<'_>) -> Option<Origin<'static>> {
    let path = uri.path().as_str();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() {
        return None;
    }
    let rewritten = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    Origin::parse_owned(rewritten).ok()
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::http::uri::Origin;

    use super::{was_a_post, without_trailing_slash};

    #[test]
    fn trailing_slashes_are_removed_and_the_query_stays() {
        let rewritten = |uri| without_trailing_slash(&Origin::parse(uri).unwrap()).map(|uri| uri.to_string());
        assert_eq!(rewritten("/orders/?page=1"), Some("/orders?page=1".to_owned()));
        assert_eq!(rewritten("/orders/1//"), Some("/orders/1".to_owned()));
        assert_eq!(rewritten("/orders?page=1"), None);
        assert_eq!(rewritten("/"), None);
    }

    #[test]
    fn only_a_method_named_in_the_body_can_have_been_a_post() {
        for body in ["_method=delete", "_method=DELETE"] {
            assert!(was_a_post(Method::Delete, body.as_bytes()), "{body}");
        }
        assert!(was_a_post(Method::Put, b"_method=put&a="));
        for body in [
            "",
            "_method=",
            "_method=x",
            "_method=put",
            "_method=deletes",
            "x=delete",
        ] {
            assert!(!was_a_post(Method::Delete, body.as_bytes()), "{body}");
        }
    }
}
