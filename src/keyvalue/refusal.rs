//! The refusals of the key-value space.

use crate::error::{Refusal, Shape};

#[derive(Debug, thiserror::Error)]
pub(super) enum KeyValueRefusal {
    /// The key does not exist.
    #[error("There is nothing under this key.")]
    KeyNotFound,
}

impl Refusal for KeyValueRefusal {
    fn shape(&self) -> Shape<'_> {
        match self {
            Self::KeyNotFound => Shape::mistake(404, "key_not_found"),
        }
    }
}
