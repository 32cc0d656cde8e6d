//! JSON bodies: read whatever the `Content-Type` says, up to a limit, and held against a schema.

use std::marker::PhantomData;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use rocket::Data;
use rocket::data::{ByteUnit, ToByteUnit};
use rocket::tokio::io::AsyncReadExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;

/// Bytes that there is room for from the beginning: those of an order or a short message.
const USUAL: usize = 256;

/// What a body becomes.
pub trait Body: DeserializeOwned {
    /// Whether the type by itself lets the same objects through as its schema does. Then the schema is asked only
    /// for what is wrong, and a good body is read once.
    const IS_AS_STRICT_AS_ITS_SCHEMA: bool = false;
}

/// A JSON Schema, compiled, and the type that a body which meets it becomes.
pub struct Schema<T> {
    source: Value,
    validator: Validator,
    body: PhantomData<fn() -> T>,
}

/// A schema file that is no schema.
#[derive(Debug, thiserror::Error)]
#[error("a schema cannot be compiled: {0}")]
pub struct SchemaError(String);

impl<T: Body> Schema<T> {
    /// Compiles the text of a schema file.
    ///
    /// # Errors
    /// The text is not JSON, or not a JSON Schema.
    pub fn compile(text: &str) -> Result<Self, SchemaError> {
        let source = serde_json::from_str(text).map_err(|error| SchemaError(error.to_string()))?;
        let validator = jsonschema::validator_for(&source).map_err(|error| SchemaError(error.to_string()))?;
        Ok(Self {
            source,
            validator,
            body: PhantomData,
        })
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// The body is too large, is no JSON, or does not meet the schema.
    pub async fn read(&self, data: Data<'_>, limit: ByteUnit) -> Result<T, ApiError> {
        self.parse(&bytes(data, limit).await?)
    }

    /// # Errors
    /// The text is no JSON, or does not meet the schema.
    fn parse(&self, text: &[u8]) -> Result<T, ApiError> {
        if let Some(body) = strictly(text) {
            return Ok(body);
        }
        let value: Value =
            serde_json::from_slice(text).map_err(|error| ApiError::InvalidJson(error.to_string()))?;
        if let Err(error) = self.validator.validate(&value) {
            return Err(ApiError::InvalidBody(self.sentence(&error)));
        }
        // From the text and not the value, since that refuses members that stand there twice.
        serde_json::from_slice(text)
            .map_err(|error| ApiError::InvalidBody(format!("The body is not as asked for: {error}.")))
    }

    /// Whether a body is let through by its type, and whether by its schema.
    #[cfg(test)]
    pub(crate) fn judge(&self, body: &Value) -> (bool, bool) {
        let by_type = strictly::<T>(body.to_string().as_bytes()).is_some();
        (by_type, self.validator.is_valid(body))
    }

    /// Names the member and what is wrong with it, in the words of the schema's own descriptions.
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

    /// The description of the subschema that holds the keyword at `path`.
    fn description(&self, path: &str) -> Option<&str> {
        let (subschema, _keyword) = path.rsplit_once('/')?;
        self.source.pointer(subschema)?.get("description")?.as_str()
    }
}

/// What a strict type lets through.
fn strictly<T: Body>(text: &[u8]) -> Option<T> {
    // Serde makes an object of an array too.
    let is_object = text.trim_ascii_start().starts_with(b"{");
    (T::IS_AS_STRICT_AS_ITS_SCHEMA && is_object)
        .then(|| serde_json::from_slice(text).ok())
        .flatten()
}

/// `/origin/0` as people write it: `origin[0]`.
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

/// Reads the body as it is.
///
/// # Errors
/// It is larger than `limit`, or the client left while sending it.
async fn bytes(data: Data<'_>, limit: ByteUnit) -> Result<Vec<u8>, ApiError> {
    let mut body = data.open(limit + 1); // the one byte more is never wanted, and tells that there is too much
    let mut bytes = Vec::with_capacity(body.hint().max(USUAL));
    let read = body.read_to_end(&mut bytes).await;
    read.map_err(|_| ApiError::BadRequest)?;
    if limit < bytes.len() {
        return Err(ApiError::PayloadTooLarge {
            limit: limit.as_u64(),
        });
    }
    Ok(bytes)
}

/// The most that a JSON body may have.
#[must_use]
pub fn json_limit() -> ByteUnit {
    16.kibibytes()
}

/// Reads the body as text, whatever it is.
///
/// # Errors
/// It is larger than `limit`, or no UTF-8.
pub async fn text(data: Data<'_>, limit: ByteUnit) -> Result<String, ApiError> {
    String::from_utf8(bytes(data, limit).await?).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        ApiError::InvalidBody(format!("The body is not UTF-8: the byte at {position} is wrong."))
    })
}
