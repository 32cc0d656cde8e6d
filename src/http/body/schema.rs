//! JSON bodies: read whatever the `Content-Type`, and validated against a schema.

use std::marker::PhantomData;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;

/// The type of a valid body.
pub trait Body: DeserializeOwned {
    /// Whether the type accepts the same objects as its schema does. The schema then only explains a refusal,
    /// and a valid body is read once.
    const IS_AS_STRICT_AS_ITS_SCHEMA: bool = false;
}

/// A compiled JSON Schema, and the type of the bodies that are valid under it.
pub struct Schema<T> {
    source: Value,
    validator: Validator,
    body: PhantomData<fn() -> T>,
}

impl<T: Body> Schema<T> {
    /// Compiles the text of a schema file.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "it is part of the program, which does not start without"
    )]
    pub fn of(text: &str) -> Self {
        let source = serde_json::from_str(text).expect("the file of a schema is JSON");
        let validator = jsonschema::validator_for(&source).expect("the file of a schema is a schema");
        Self {
            source,
            validator,
            body: PhantomData,
        }
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// The text is not JSON, or is not valid under the schema.
    pub fn read(&self, text: &[u8]) -> Result<T, ApiError> {
        if let Some(body) = strictly(text) {
            return Ok(body);
        }
        let value: Value =
            serde_json::from_slice(text).map_err(|error| ApiError::InvalidJson(error.to_string()))?;
        if let Err(error) = self.validator.validate(&value) {
            return Err(ApiError::InvalidBody(self.sentence(&error)));
        }
        // From the text and not the value, since that rejects duplicate members.
        serde_json::from_slice(text)
            .map_err(|error| ApiError::InvalidBody(format!("The body is not as asked for: {error}.")))
    }

    /// Whether the type accepts a body, and whether the schema does.
    #[cfg(test)]
    pub(crate) fn judge(&self, body: &Value) -> (bool, bool) {
        let by_type = strictly::<T>(body.to_string().as_bytes()).is_some();
        (by_type, self.validator.is_valid(body))
    }

    /// Names the member and its error, in the words of the schema's descriptions.
    fn sentence(&self, error: &ValidationError<'_>) -> String {
        let member = member(error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                format!("{name} is missing from {member}.")
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let name: String = unexpected.concat().chars().take(64).collect();
                format!("{member} must have no member {name}.")
            }
            _ => match self.description(error.schema_path().as_str()) {
                Some(description) => format!("{member} must be {description}."),
                None => format!("{member} is wrong: {}.", error.masked()),
            },
        }
    }

    /// The description of the subschema with the keyword at `path`.
    fn description(&self, path: &str) -> Option<&str> {
        let (subschema, _keyword) = path.rsplit_once('/')?;
        self.source.pointer(subschema)?.get("description")?.as_str()
    }
}

/// What a strict type accepts.
fn strictly<T: Body>(text: &[u8]) -> Option<T> {
    // Serde also reads an array as an object.
    let is_object = text.trim_ascii_start().starts_with(b"{");
    (T::IS_AS_STRICT_AS_ITS_SCHEMA && is_object)
        .then(|| serde_json::from_slice(text).ok())
        .flatten()
}

/// `/origin/0` in a readable form: `origin[0]`.
fn member(pointer: &str) -> String {
    let mut written = String::new();
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            written.push_str(&format!("[{part}]"));
        } else {
            written.push_str(if written.is_empty() { "" } else { "." });
            written.push_str(part);
        }
    }
    if written.is_empty() {
        written.push_str("the body");
    }
    written
}
