//! Answers in JSON.

use std::io::Cursor;

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder, Response};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Answers `200` with a value. It replaces Rocket's own type, which builds the answer twice.
pub struct Json<T>(pub T);

impl<T: Serialize> Json<T> {
    /// The value as text.
    ///
    /// # Errors
    /// The value cannot be serialized.
    pub fn text(&self) -> Result<Vec<u8>, Status> {
        serde_json::to_vec(&self.0).map_err(|_| Status::InternalServerError)
    }
}

impl<'r, T: Serialize> Responder<'r, 'static> for Json<T> {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = self.text()?;
        Response::build()
            .header(ContentType::JSON)
            .sized_body(body.len(), Cursor::new(body))
            .ok()
    }
}

/// `{"status": "ok"}`.
#[derive(Serialize)]
pub struct Done {
    status: &'static str,
}

/// Only the status.
#[must_use]
pub fn done() -> Json<Done> {
    Json(Done { status: "ok" })
}

/// `{"status": "ok"}` with one more member.
pub struct DoneWith<T>(&'static str, T);

/// The status, and a member with this name.
#[must_use]
pub fn done_with<T>(name: &'static str, value: T) -> Json<DoneWith<T>> {
    Json(DoneWith(name, value))
}

impl<T: Serialize> Serialize for DoneWith<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut members = to.serialize_map(Some(2))?;
        members.serialize_entry("status", "ok")?;
        members.serialize_entry(self.0, &self.1)?;
        members.end()
    }
}
