//! The guard of routes without a body: they begin once the whole request has arrived, with a small body at most.

use rocket::Request;
use rocket::data::{self, Data, FromData};
use rocket::outcome::Outcome;

use super::received::read;
use crate::error::ApiError;
use crate::http::refusal;
use crate::http::request_id::Arrival;

/// Bytes of a body that are read and ignored; a larger one is refused.
const IGNORED: usize = 1024;

/// Proof that the whole request has arrived.
pub struct NoBody;

#[rocket::async_trait]
impl<'r> FromData<'r> for NoBody {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let arrival = Arrival::of(request);
        if let Some(status) = refusal::status(arrival) {
            return Outcome::Forward((data, status));
        }
        if data.peek_complete() {
            return match arrival.cut_off {
                true => Outcome::Error((refusal::refuse(request, ApiError::BadRequest), ())),
                false => Outcome::Success(Self),
            };
        }
        read(request, data, IGNORED).await.map(|_| Self)
    }
}
