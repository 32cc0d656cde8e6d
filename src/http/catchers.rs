//! Answers what no route answered: unknown paths, wrong methods, and whatever Rocket refuses itself.

use rocket::http::{Method, Status};
use rocket::{Request, Route};

use crate::error::ApiError;

#[rocket::catch(default)]
pub(super) fn any(status: Status, request: &Request<'_>) -> ApiError {
    match status.code {
        401 => ApiError::Unauthorized,
        404 => unrouted(request),
        400 | 422 => ApiError::BadRequest,
        500 => ApiError::Internal("a handler panicked".to_owned()),
        code => ApiError::Http {
            status: code,
            reason: status.reason_lossy(),
        },
    }
}

/// Rocket says "not found" of a known path with another method too; HTTP tells the two apart (RFC 9110, 15.5.6).
fn unrouted(request: &Request<'_>) -> ApiError {
    let mut methods: Vec<Method> = request
        .rocket()
        .routes()
        .filter(|route| has_path(route, request))
        .map(|route| route.method)
        .collect();
    if methods.contains(&Method::Get) {
        methods.push(Method::Head);
    }
    methods.sort_unstable_by_key(|method| method.as_str());
    methods.dedup();
    if methods.is_empty() {
        return ApiError::NotFound;
    }
    let names: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
    ApiError::MethodNotAllowed {
        allow: names.join(", "),
    }
}

fn has_path(route: &Route, request: &Request<'_>) -> bool {
    let pattern = route.uri.path().split('/');
    let path = request.uri().path().as_str().split('/');
    pattern.clone().count() == path.clone().count()
        && pattern
            .zip(path)
            .all(|(wanted, found)| wanted == found || (wanted.starts_with('<') && !found.is_empty()))
}
