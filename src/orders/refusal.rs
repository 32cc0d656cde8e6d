//! The refusals of the orders.

use super::parameters::PathId;
use crate::error::{Refusal, Shape};

#[derive(Debug, thiserror::Error)]
pub(super) enum OrderRefusal {
    /// `page`, `after` or `limit` is missing or wrong.
    #[error("{0}")]
    InvalidPage(String),
    /// The id in the path is not an integer.
    #[error("The order id must be an integer.")]
    InvalidId,
    /// The provider knows no road between the two points.
    #[error("There is no route between the origin and the destination.")]
    NoRoute,
    /// The order is taken.
    #[error("Order {0} is already taken.")]
    Taken(i64),
    /// Another request holds the order's row at this moment.
    #[error("Order {0} is being taken by another request right now.")]
    Locked(i64),
    /// There is no such order to take: the client's mistake.
    #[error("There is no order {0}.")]
    NothingToTake(PathId),
    /// There is no such order to show.
    #[error("There is no order {0}.")]
    NotFound(PathId),
    /// The distance provider was unreachable or refused; nothing was done. The string is for the log.
    #[error("The road distance cannot be looked up right now; nothing was done, please try again.")]
    DistanceUnavailable(String),
}

impl Refusal for OrderRefusal {
    fn shape(&self) -> Shape<'_> {
        match self {
            Self::InvalidPage(_) => Shape::mistake(400, "invalid_page"),
            Self::InvalidId => Shape::mistake(400, "invalid_id"),
            Self::NoRoute => Shape::mistake(400, "no_route"),
            Self::Taken(_) => Shape::mistake(400, "order_taken"),
            Self::Locked(_) => Shape::mistake(400, "order_locked"),
            Self::NothingToTake(_) => Shape::mistake(400, "order_not_found"),
            Self::NotFound(_) => Shape::mistake(404, "order_not_found"),
            Self::DistanceUnavailable(reason) => Shape::failure(503, "distance_unavailable", reason).again(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OrderRefusal, PathId, Refusal, Shape};

    #[test]
    fn taking_a_missing_order_is_the_clients_mistake_and_showing_it_is_not_found() {
        let shape = |refusal: OrderRefusal| (refusal.shape().status, refusal.shape().code);
        let taken = shape(OrderRefusal::NothingToTake(PathId::Possible(7)));
        let shown = shape(OrderRefusal::NotFound(PathId::Possible(7)));
        assert_eq!(
            (taken, shown),
            ((400, "order_not_found"), (404, "order_not_found"))
        );
    }

    #[test]
    fn an_unavailable_distance_is_logged_and_may_be_retried() {
        let refusal = OrderRefusal::DistanceUnavailable("a secret".to_owned());
        let shape = Shape::failure(503, "distance_unavailable", "a secret").again();
        assert_eq!(refusal.shape(), shape);
        assert!(!refusal.to_string().contains("secret"), "{refusal}");
    }
}
