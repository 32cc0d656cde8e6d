//! The orders' HTTP: places, takes, shows and lists.

use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::response::{self, Responder};
use rocket::serde::json::Json;
use rocket::{Data, Request, State};
use serde::Serialize;

use super::distance::{DistanceError, DistanceProvider};
use super::model::{NewOrder, Order, OrderSummary, PathId, PlaceOrder, Status, TakeOrder, TakeOutcome};
use super::store;
use crate::db::{Database, batch};
use crate::error::ApiError;
use crate::http::body::{Schema, SchemaError, json_limit};
use crate::http::page::Slice;
use crate::telemetry::metrics::METRICS;

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
        match Schemas::compile() {
            Ok(schemas) => Ok(rocket
                .manage(schemas)
                .manage(provider)
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
    body: Data<'_>,
    schemas: &State<Schemas>,
    provider: &State<Box<dyn DistanceProvider>>,
    database: &State<Database>,
) -> Result<Json<OrderSummary>, ApiError> {
    let trip = schemas.place.read(body, json_limit()).await?.trip()?;
    let distance = provider.distance(&trip).await.map_err(|error| match error {
        DistanceError::NoRoute => ApiError::NoRoute,
        DistanceError::Unavailable(reason) => ApiError::DistanceUnavailable(reason),
    })?;
    let order = NewOrder { trip, distance };
    let id = database
        .write(move |connection| batch::only(store::place(connection, &[order])))
        .await?;
    METRICS.orders_placed.inc();
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
    body: Data<'_>,
    schemas: &State<Schemas>,
    database: &State<Database>,
) -> Result<Json<Taken>, ApiError> {
    let id = PathId::parse(id)?;
    schemas.take.read(body, json_limit()).await?;
    let PathId::Possible(id) = id else {
        return Err(ApiError::NothingToTake(id.to_string()));
    };
    let outcome = database
        .write(move |connection| batch::only(store::take(connection, &[id])))
        .await?;
    METRICS.order_takes.with_label_values(&[outcome.word()]).inc();
    match outcome {
        TakeOutcome::Won => Ok(Json(Taken { status: "SUCCESS" })),
        TakeOutcome::AlreadyTaken => Err(ApiError::OrderTaken(id)),
        TakeOutcome::Locked => Err(ApiError::OrderLocked(id)),
        TakeOutcome::NotFound => Err(ApiError::NothingToTake(id.to_string())),
    }
}

#[rocket::get("/<id>")]
async fn show(id: &str, database: &State<Database>) -> Result<Json<Order>, ApiError> {
    let id = PathId::parse(id)?;
    let PathId::Possible(number) = id else {
        return Err(ApiError::OrderNotFound(id.to_string()));
    };
    let order = database
        .read(move |connection| store::find(connection, number))
        .await?;
    order
        .map(Json)
        .ok_or_else(|| ApiError::OrderNotFound(id.to_string()))
}

/// Orders, and the `Link` to those after them.
struct Listed {
    orders: Vec<OrderSummary>,
    next: Option<String>,
}

impl<'r> Responder<'r, 'static> for Listed {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Json(self.orders).respond_to(request)?;
        if let Some(next) = self.next {
            response.set_header(Header::new("Link", next));
        }
        Ok(response)
    }
}

#[rocket::get("/?<page>&<after>&<limit>")]
async fn list(
    page: Option<&str>,
    after: Option<&str>,
    limit: Option<&str>,
    database: &State<Database>,
) -> Result<Listed, ApiError> {
    let slice = Slice::parse(page, after, limit)?;
    let orders = database
        .read(move |connection| store::list(connection, slice))
        .await?;
    let next = slice.next_link("/orders", &orders, |order| order.id);
    Ok(Listed { orders, next })
}
