//! HTTP of the orders: places, takes, shows and lists.

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header};
use rocket::response::{self, Responder, Response};
use rocket::{Request, State};
use serde::Serialize;

use super::body::{PlaceOrder, TakeOrder};
use super::distance::{DistanceError, DistanceProvider};
use super::metrics::METRICS;
use super::model::{NewOrder, Order, OrderSummary, Status, TakeOutcome};
use super::parameters::{PathId, next_link, slice};
use super::refusal::OrderRefusal;
use super::store::{Listing, Orders};
use crate::db::Database;
use crate::error::ApiError;
use crate::http::body::{JsonBody, NoBody, Schema};
use crate::http::json::Json;

static PLACE: LazyLock<Schema<PlaceOrder>> = LazyLock::new(|| Schema::of(include_str!("schemas/place.json")));
static TAKE: LazyLock<Schema<TakeOrder>> = LazyLock::new(|| Schema::of(include_str!("schemas/take.json")));

/// Mounts the orders; must be called inside the async runtime.
#[must_use]
pub fn stage(database: &Database, provider: Box<dyn DistanceProvider>) -> AdHoc {
    LazyLock::force(&PLACE);
    LazyLock::force(&TAKE);
    let orders = Orders::new(database);
    AdHoc::on_ignite("Orders", |rocket| async {
        rocket
            .manage(provider)
            .manage(orders)
            .mount("/orders", rocket::routes![place, take, show, list])
    })
}

#[rocket::post("/", data = "<body>")]
async fn place(
    body: JsonBody,
    provider: &State<Box<dyn DistanceProvider>>,
    orders: &State<Orders>,
) -> Result<Json<OrderSummary>, ApiError> {
    let trip = PLACE.read(body.bytes())?.trip()?;
    orders.has_room()?; // the provider is neither asked nor paid in vain
    let distance = provider.distance(&trip).await.map_err(no_distance)?;
    let id = orders.place(NewOrder { trip, distance }).await?;
    METRICS.placed.inc();
    Ok(Json(OrderSummary {
        distance,
        id,
        status: Status::Unassigned,
    }))
}

fn no_distance(error: DistanceError) -> ApiError {
    match error {
        DistanceError::Busy => ApiError::Overloaded,
        DistanceError::NoRoute => OrderRefusal::NoRoute.into(),
        DistanceError::Unavailable(_) | DistanceError::CircuitOpen => {
            OrderRefusal::DistanceUnavailable(error.to_string()).into()
        }
    }
}

/// The contract's word for a successful take.
#[derive(Serialize)]
struct Success {
    status: &'static str,
}

#[rocket::patch("/<id>", data = "<body>")]
async fn take(id: &str, body: JsonBody, orders: &State<Orders>) -> Result<Json<Success>, ApiError> {
    let id = PathId::parse(id)?;
    TAKE.read(body.bytes())?;
    let PathId::Possible(number) = id else {
        return Err(OrderRefusal::NothingToTake(id).into());
    };
    let outcome = orders.take(number).await?;
    METRICS.takes.with_label_values(&[outcome.word()]).inc();
    let refusal = match outcome {
        TakeOutcome::Won => return Ok(Json(Success { status: "SUCCESS" })),
        TakeOutcome::AlreadyTaken => OrderRefusal::Taken(number),
        TakeOutcome::Locked => OrderRefusal::Locked(number),
        TakeOutcome::NotFound => OrderRefusal::NothingToTake(id),
    };
    Err(refusal.into())
}

#[rocket::get("/<id>", data = "<_none>")]
async fn show(id: &str, _none: NoBody, orders: &State<Orders>) -> Result<Json<Order>, ApiError> {
    let id = PathId::parse(id)?;
    let PathId::Possible(number) = id else {
        return Err(OrderRefusal::NotFound(id).into());
    };
    let order = orders.find(number).await?;
    Ok(Json(order.ok_or(OrderRefusal::NotFound(id))?))
}

/// Answers with bytes that are shared by equal requests.
struct Listed {
    listing: Arc<Listing>,
    limit: i64,
}

impl AsRef<[u8]> for Listed {
    fn as_ref(&self) -> &[u8] {
        &self.listing.json
    }
}

impl<'r> Responder<'r, 'static> for Listed {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.header(ContentType::JSON);
        if let Some(last) = self.listing.next {
            response.header(Header::new("Link", next_link(last, self.limit)));
        }
        let length = self.listing.json.len();
        response.sized_body(length, Cursor::new(self)).ok()
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
    let slice = slice(page, after, limit)?;
    let listing = orders.list(slice).await?;
    Ok(Listed {
        listing,
        limit: slice.limit,
    })
}
