//! A trailing slash never matters: it is cut off before a request is routed.

use rocket::fairing::AdHoc;
use rocket::http::uri::Origin;

pub(super) fn fairing() -> AdHoc {
    AdHoc::on_request("Trailing slash", |request, _| {
        Box::pin(async move {
            let uri = request.uri();
            let path = uri.path().as_str();
            let trimmed = path.trim_end_matches('/');
            if trimmed.len() == path.len() || trimmed.is_empty() {
                return;
            }
            let rewritten = match uri.query() {
                Some(query) => format!("{trimmed}?{query}"),
                None => trimmed.to_owned(),
            };
            if let Ok(uri) = Origin::parse_owned(rewritten) {
                request.set_uri(uri);
            }
        })
    })
}
