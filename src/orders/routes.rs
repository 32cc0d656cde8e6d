//! The orders' HTTP: places, takes, shows and lists.

use std::io::Cursor;
use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header};
use rocket::response::{self, Responder, Response};
use rocket::{Request, State};
use serde::Serialize;

use super::distance::{DistanceError, DistanceProvider};
use super::metrics::METRICS;
use super::model::{NewOrder, Order, OrderSummary, PathId, PlaceOrder, Status, TakeOrder, TakeOutcome};
use super::store::{Listing, Orders};
use crate::db::Database;
use crate::error::ApiError;
use crate::http::body::{JsonBody, NoBody, Schema, SchemaError};
use crate::http::json::Json;
use crate::http::page::Slice;

/// The bodies' schemas, compiled once.
struct Schemas {
    place: Schema<PlaceOrder>,
    take: Schema<TakeOrder>,
}

impl Schemas {
    fn compile() -> Result<Self, SchemaError> {
        Ok(Self {
            place: Schema::compile(include_str!("schemas/place.json"))?,
            take: Schema::compile(include_str!("schemas/take.json"))?,
        })
    }
}

/// Mounts the orders; needs a [`Database`] in Rocket's state.
#[must_use]
pub fn stage(provider: Box<dyn DistanceProvider>) -> AdHoc {
    AdHoc::try_on_ignite("Orders", |rocket| async {
        let Some(database) = rocket.state::<Database>() else {
            tracing::error!("the orders have no database");
            return Err(rocket);
        };
        let orders = Orders::new(database);
        match Schemas::compile() {
            Ok(schemas) => Ok(rocket
                .manage(schemas)
                .manage(provider)
                .manage(orders)
                .mount("/orders", rocket::routes![place, take, show, list])),
            Err(error) => {
                tracing::error!(%error, "a schema of the orders is wrong");
                Err(rocket)
            }
        }
    })
}

#[rocket::post("/", data = "<body>")]
async fn place(
    body: JsonBody,
    schemas: &State<Schemas>,
    provider: &State<Box<dyn DistanceProvider>>,
    orders: &State<Orders>,
) -> Result<Json<OrderSummary>, ApiError> {
    let trip = schemas.place.read(body.bytes())?.trip()?;
    orders.has_room()?; // the provider is not asked, nor paid, for nothing
    let distance = provider.distance(&trip).await.map_err(|error| match error {
        DistanceError::NoRoute => ApiError::NoRoute,
        DistanceError::Busy => ApiError::Overloaded,
        DistanceError::Unavailable(_) | DistanceError::CircuitOpen => {
            ApiError::DistanceUnavailable(error.to_string())
        }
    })?;
    let id = orders.place(NewOrder { trip, distance }).await?;
    METRICS.placed.inc();
    Ok(Json(OrderSummary {
        distance,
        id,
        status: Status::Unassigned,
    }))
}

/// The contract's word for an order that is the caller's now.
#[derive(Serialize)]
struct Taken {
    status: &'static str,
}

#[rocket::patch("/<id>", data = "<body>")]
async fn take(
    id: &str,
    body: JsonBody,
    schemas: &State<Schemas>,
    orders: &State<Orders>,
) -> Result<Json<Taken>, ApiError> {
    let id = PathId::parse(id)?;
    schemas.take.read(body.bytes())?;
    let PathId::Possible(id) = id else {
        return Err(ApiError::NothingToTake(id.to_string()));
    };
    let outcome = orders.take(id).await?;
    METRICS.takes.with_label_values(&[outcome.word()]).inc();
    match outcome {
        TakeOutcome::Won => Ok(Json(Taken { status: "SUCCESS" })),
        TakeOutcome::AlreadyTaken => Err(ApiError::OrderTaken(id)),
        TakeOutcome::Locked => Err(ApiError::OrderLocked(id)),
        TakeOutcome::NotFound => Err(ApiError::NothingToTake(id.to_string())),
    }
}

#[rocket::get("/<id>", data = "<_none>")]
async fn show(id: &str, _none: NoBody, orders: &State<Orders>) -> Result<Json<Order>, ApiError> {
    let id = PathId::parse(id)?;
    let PathId::Possible(number) = id else {
        return Err(ApiError::OrderNotFound(id.to_string()));
    };
    let order = orders.find(number).await?;
    order
        .map(Json)
        .ok_or_else(|| ApiError::OrderNotFound(id.to_string()))
}

/// Answers with the bytes that everyone shares who asked for the same.
struct Listed(Arc<Listing>);

impl AsRef<[u8]> for Listed {
    fn as_ref(&self) -> &[u8] {
        &self.0.json
    }
}

impl<'r> Responder<'r, 'static> for Listed {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.header(ContentType::JSON);
        if let Some(next) = &self.0.next {
            response.header(Header::new("Link", next.clone()));
        }
        response.sized_body(self.0.json.len(), Cursor::new(self)).ok()
    }
}

#[rocket::get("/?<page>&<after>&<limit>", data = "<_none>")]
async fn list(
    page: Option<&str>,
    after: Option<&str>,
    limit: Option<&str>,
    _none: NoBody,
    orders: &State<Orders>,
) -> Result<Listed, ApiError> {
    let slice = Slice::parse(page, after, limit)?;
    Ok(Listed(orders.list(slice).await?))
}
