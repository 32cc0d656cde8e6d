//! Answers requests without a route: unknown paths, wrong methods, and requests that a guard has refused.
//!
//! It is a route and not a catcher, since it needs the body, which is drained after the answer.

use rocket::http::Method;
use rocket::outcome::Outcome;
use rocket::route::{self, Handler};
use rocket::{Data, Request, Route};

use super::{body, refusal};
use crate::error::ApiError;

/// After every other route.
const RANK: isize = 1_000;

/// All but HEAD: for a HEAD without a route, Rocket tries GET.
const METHODS: [Method; 8] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Connect,
    Method::Patch,
];

#[derive(Clone)]
struct Fallback;

/// The routes to be mounted at the root.
pub(super) fn routes() -> Vec<Route> {
    let route = |method| Route::ranked(RANK, method, "/<_..>", Fallback);
    METHODS.into_iter().map(route).collect()
}

/// Whether no other route has answered.
pub(super) fn is_it(route: &Route) -> bool {
    route.rank == RANK
}

#[rocket::async_trait]
impl Handler for Fallback {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        let error = refusal::error(request).unwrap_or_else(|| unrouted(request));
        match body::answer(error, request, data) {
            Ok(response) => Outcome::Success(response),
            Err(status) => Outcome::Error(status),
        }
    }
}

/// HTTP distinguishes an unknown path from a known one with a wrong method (RFC 9110, 15.5.6).
fn unrouted(request: &Request<'_>) -> ApiError {
    let mut methods: Vec<Method> = request
        .rocket()
        .routes()
        .filter(|route| !is_it(route) && has_path(route, request))
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
