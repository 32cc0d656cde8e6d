//! The tokens for protected routes.

use secrecy::{ExposeSecret, SecretString};

use super::settings::API_TOKEN;
use super::{ConfigError, Environment};

const SHORTEST: usize = 32;

/// The tokens of the service's clients.
#[derive(Debug)]
pub struct Access {
    /// `API_TOKEN`: one or more of 32 visible ASCII characters or more.
    pub tokens: Vec<SecretString>,
}

impl Access {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let listed = environment.secret(API_TOKEN, |value| tokens(value).all(is_token))?;
        let tokens = tokens(listed.expose_secret()).map(SecretString::from).collect();
        Ok(Self { tokens })
    }
}

fn tokens(listed: &str) -> impl Iterator<Item = &str> {
    listed.split(',').map(str::trim)
}

fn is_token(token: &str) -> bool {
    token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic())
}
