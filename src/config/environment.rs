//! Reads and checks environment variables, one at a time.

use std::env;
use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

use super::setting::Setting;

/// A source of variables: the process's environment, or that of a test.
pub struct Environment(Box<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String>;

/// A variable that is missing or wrong: its name, its expected values, its value.
#[derive(Debug, thiserror::Error)]
#[error("{} must be {}, but it is {found}", .setting.name, .setting.expected())]
pub struct ConfigError {
    setting: &'static Setting,
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
        let value = |name: &str| Some(env::var_os(name)?.to_string_lossy().trim().to_owned());
        Self(Box::new(value))
    }

    /// Only these variables.
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

    /// The value as set; an empty one counts as unset, since Compose passes unset ones as empty.
    pub(super) fn set(&self, setting: &Setting) -> Option<String> {
        (self.0)(setting.name).filter(|value| !value.is_empty())
    }

    /// The parsed value or default, if there is one.
    pub(super) fn optional<T>(
        &self,
        setting: &'static Setting,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.set(setting).or_else(|| setting.default().map(str::to_owned));
        let Some(value) = value else {
            return Ok(None);
        };
        if let Some(parsed) = parse(&value) {
            return Ok(Some(parsed));
        }
        let found = match setting.hides(&value) {
            true => Found::Secret {
                characters: value.chars().count(),
            },
            false => Found::Value(value),
        };
        Err(ConfigError { setting, found })
    }

    /// The parsed value or default; one of them is required.
    pub(super) fn read<T>(
        &self,
        setting: &'static Setting,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.optional(setting, parse)?.ok_or(ConfigError {
            setting,
            found: Found::Nothing,
        })
    }

    /// A whole number in the range of the table.
    pub(super) fn number<T: FromStr>(&self, setting: &'static Setting) -> Result<T, ConfigError> {
        self.read(setting, |text| setting.number(text))
    }

    /// A required secret.
    pub(super) fn secret(
        &self,
        setting: &'static Setting,
        accept: impl FnOnce(&str) -> bool,
    ) -> Result<SecretString, ConfigError> {
        self.read(setting, |value| accept(value).then(|| value.into()))
    }
}
