//! Brings a request into the one form that routes know.

use rocket::http::Method;
use rocket::http::uri::Origin;
use rocket::{Data, Request};

pub(super) async fn normalize(request: &mut Request<'_>, data: &mut Data<'_>) {
    keep_method(request, data).await;
    if let Some(uri) = without_trailing_slash(request.uri()) {
        request.set_uri(uri);
    }
}

/// Rocket reads another method out of a POSTed form that begins with `_method`; here a body is only a body.
async fn keep_method(request: &mut Request<'_>, data: &mut Data<'_>) {
    let override_field = b"_method=";
    if request.method() != Method::Post
        && request.content_type().is_some_and(|kind| kind.is_form())
        && data.peek(override_field.len()).await == override_field
    {
        request.set_method(Method::Post);
    }
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
    use rocket::http::uri::Origin;

    use super::without_trailing_slash;

    #[test]
    fn trailing_slashes_are_cut_off_and_the_query_stays() {
        let rewritten = |uri| without_trailing_slash(&Origin::parse(uri).unwrap()).map(|uri| uri.to_string());
        assert_eq!(rewritten("/orders/?page=1"), Some("/orders?page=1".to_owned()));
        assert_eq!(rewritten("/orders/1//"), Some("/orders/1".to_owned()));
        assert_eq!(rewritten("/orders?page=1"), None);
        assert_eq!(rewritten("/"), None);
    }
}
