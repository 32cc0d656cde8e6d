//! Behaviour of all routes.

mod bodies;
mod body_memory;
mod errors;
mod half_requests;
mod odd_requests;
mod request_id;
mod shutdown;
mod unanswered;
