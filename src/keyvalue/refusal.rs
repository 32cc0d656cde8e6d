//! What clients of the key-value space are told when a request is refused.

use crate::error::{Refusal, Shape};

#[derive(Debug, thiserror::Error)]
pub(super) enum KeyValueRefusal {
    /// Nothing is kept under the key.
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
