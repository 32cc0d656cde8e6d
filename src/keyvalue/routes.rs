//! HTTP of the key-value space.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rocket::State;
use rocket::fairing::AdHoc;
use rocket::http::Status;
use serde::{Deserialize, Serialize};

use super::model::{Entry, LARGEST_VALUE, LONGEST_KEY, Misfit};
use super::refusal::KeyValueRefusal;
use super::store::{self, Stored};
use crate::broker::Broker;
use crate::error::ApiError;
use crate::http::body::{Body, LargeBody, NoBody, Schema};
use crate::http::json::{Done, Json, done};
use crate::http::token::Authorized;

#[derive(Deserialize)]
struct SetValue {
    id: String,
    data: String,
}

#[derive(Deserialize)]
struct AddValue {
    key: String,
    value: String,
}

impl Body for SetValue {}
impl Body for AddValue {}

static SET: LazyLock<Schema<SetValue>> = LazyLock::new(|| Schema::of(include_str!("schemas/set.json")));
static ADD: LazyLock<Schema<AddValue>> = LazyLock::new(|| Schema::of(include_str!("schemas/add.json")));

/// Mounts the key-value space; needs a [`Broker`] in Rocket's state.
#[must_use]
pub fn stage() -> AdHoc {
    LazyLock::force(&SET);
    LazyLock::force(&ADD);
    AdHoc::on_ignite("Key-value", |rocket| async {
        rocket.mount("/", rocket::routes![set, add, get])
    })
}

#[derive(Serialize)]
struct Added {
    message: &'static str,
    status: &'static str,
}

/// `member` is the client's name for the key.
fn entry(member: &str, key: String, value: String) -> Result<Entry, ApiError> {
    Entry::new(key, value).map_err(|misfit| match misfit {
        Misfit::Key => ApiError::OutOfRange(format!("{member} must have 1 to {LONGEST_KEY} bytes.")),
        Misfit::Value => ApiError::PayloadTooLarge {
            limit: LARGEST_VALUE as u64,
        },
    })
}

#[rocket::post("/set", data = "<body>")]
async fn set(
    _authorized: Authorized,
    body: LargeBody,
    broker: &State<Broker>,
) -> Result<(Status, Json<Done>), ApiError> {
    let SetValue { id, data } = SET.read(body.bytes())?;
    let status = match store::set(broker, &entry("id", id, data)?).await? {
        Stored::New => Status::Created,
        Stored::Replaced => Status::Ok,
    };
    Ok((status, done()))
}

#[rocket::post("/add", data = "<body>")]
async fn add(
    _authorized: Authorized,
    body: LargeBody,
    broker: &State<Broker>,
) -> Result<Json<Added>, ApiError> {
    let AddValue { key, value } = ADD.read(body.bytes())?;
    store::set(broker, &entry("key", key, value)?).await?;
    Ok(Json(Added {
        message: "Data added successfully!",
        status: "OK!",
    }))
}

#[rocket::get("/get/<key>", data = "<_none>")]
async fn get(
    _authorized: Authorized,
    _none: NoBody,
    key: &str,
    broker: &State<Broker>,
) -> Result<Json<BTreeMap<String, String>>, ApiError> {
    let value = store::get(broker, key)
        .await?
        .ok_or(KeyValueRefusal::KeyNotFound)?;
    Ok(Json(BTreeMap::from([(key.to_owned(), value)])))
}
