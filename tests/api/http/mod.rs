//! What holds of every path.

mod errors;
mod request_id;
mod shutdown;
