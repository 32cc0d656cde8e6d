//! Reads and checks one environment variable at a time.

use std::fmt;

use figment::providers::Env;
use secrecy::SecretString;

/// A source of variables: the process's environment, or a test's own.
pub struct Environment(Box<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String>;

/// A variable that is missing or wrong: its name, what it should be, what it was.
#[derive(Debug, thiserror::Error)]
#[error("{name} must be {expected}, but it is {found}")]
pub struct ConfigError {
    name: &'static str,
    expected: &'static str,
    found: Found,
}

#[derive(Debug)]
enum Found {
    Nothing,
    Value(String),
    Secret { characters: usize },
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("not set"),
            Self::Value(value) => write!(f, "{value:?}"),
            Self::Secret { characters } => {
                write!(f, "something else of {characters} characters")
            }
        }
    }
}

impl Environment {
    /// The process's own environment.
    #[must_use]
    pub fn process() -> Self {
        Self(Box::new(Env::var))
    }

    /// These variables and no others.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let owned: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self(Box::new(move |wanted| {
            let (_, value) = owned.iter().find(|(name, _)| name == wanted)?;
            Some(value.clone())
        }))
    }

    /// The value as it stands; an empty one counts as unset, as Compose passes unset ones on as empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The parsed value, if there is one.
    ///
    /// # Errors
    /// The value is there but `parse` refuses it.
    pub fn optional<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match parse(&value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(ConfigError {
                name,
                expected,
                found: Found::Value(value),
            }),
        }
    }

    /// A secret that must be there; its value is never shown.
    ///
    /// # Errors
    /// The value is missing, or `accept` refuses it.
    pub fn secret(
        &self,
        name: &'static str,
        expected: &'static str,
        accept: impl FnOnce(&str) -> bool,
    ) -> Result<SecretString, ConfigError> {
        let found = match self.get(name) {
            Some(value) if accept(&value) => return Ok(value.into()),
            Some(value) => Found::Secret {
                characters: value.chars().count(),
            },
            None => Found::Nothing,
        };
        Err(ConfigError {
            name,
            expected,
            found,
        })
    }

    /// A variable that another one makes necessary, and that is not set.
    #[must_use]
    pub fn missing(name: &'static str, expected: &'static str) -> ConfigError {
        ConfigError {
            name,
            expected,
            found: Found::Nothing,
        }
    }
}
