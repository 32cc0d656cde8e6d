//! The refusals of the queues.

use crate::error::{Refusal, Shape};

#[derive(Debug, thiserror::Error)]
pub(super) enum QueueRefusal {
    /// The name in the path is not valid.
    #[error("The name of a queue must have 1 to 64 characters, each of a-z, 0-9 or a hyphen.")]
    InvalidName,
    /// The queue does not exist.
    #[error("There is no queue {0}.")]
    QueueNotFound(String),
    /// The message was acknowledged or received again, or the receipt never existed.
    #[error("There is no message with this receipt any more.")]
    ReceiptNotFound,
}

impl Refusal for QueueRefusal {
    fn shape(&self) -> Shape<'_> {
        match self {
            Self::InvalidName => Shape::mistake(400, "invalid_name"),
            Self::QueueNotFound(_) => Shape::mistake(404, "queue_not_found"),
            Self::ReceiptNotFound => Shape::mistake(404, "receipt_not_found"),
        }
    }
}
