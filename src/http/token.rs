//! The guard of routes that require a token: `Authorization: <token>` or `Authorization: Bearer <token>`.

use rocket::Request;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

use super::refusal;
use crate::config;
use crate::error::ApiError;

/// Proof that a request has one of the configured tokens.
pub struct Authorized;

/// The accepted tokens, in Rocket's state.
pub struct Tokens(Vec<SecretString>);

impl Tokens {
    /// Those of the configuration.
    #[must_use]
    pub fn new(config: &config::Access) -> Self {
        Self(config.tokens.clone())
    }

    /// Compares with every token, each in a time that depends only on lengths.
    fn contain(&self, offered: &str) -> bool {
        let equal = |token: &SecretString| token.expose_secret().as_bytes().ct_eq(offered.as_bytes());
        let found = self
            .0
            .iter()
            .map(equal)
            .fold(Choice::from(0), |any, equal| any | equal);
        found.into()
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Authorized {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let tokens = request.rocket().state::<Tokens>();
        let offered = request.headers().get_one("Authorization").map(token);
        match (tokens, offered) {
            (Some(tokens), Some(offered)) if tokens.contain(offered) => Outcome::Success(Self),
            _ => Outcome::Forward(refusal::refuse(request, ApiError::Unauthorized)),
        }
    }
}

/// The token without its scheme, whose case does not matter (RFC 9110, 11.1).
fn token(header: &str) -> &str {
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ => header,
    }
}

#[cfg(test)]
mod tests {
    use super::{Tokens, token};

    #[test]
    fn a_token_is_alone_or_after_bearer() {
        for header in ["secret", "Bearer secret", "bearer  secret", "BEARER secret"] {
            assert_eq!(token(header), "secret");
        }
        assert_eq!(token("Basic secret"), "Basic secret");
    }

    #[test]
    fn each_of_several_tokens_is_accepted_and_nothing_else() {
        let tokens = Tokens(vec!["first".into(), "second".into()]);
        assert!(tokens.contain("first") && tokens.contain("second"));
        for wrong in ["", "firs", "first ", "firsts", "first,second", "First"] {
            assert!(!tokens.contain(wrong), "{wrong:?}");
        }
    }
}
