//! What is asked for: over HTTP, and of the peer that does the same without the service.

/// A request, of which each case asks for some.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Place,
    Take,
    List,
    After,
    One,
    Push,
    Pop,
}

pub const ORDER: &str =
    r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;
/// A message of 100 bytes.
macro_rules! message {
    () => {
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    };
}
/// As many orders at once as follow.
pub const ORDERS: &str = "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance) \
     SELECT 50.456399, 12.70758, 59.436487, 24.747193, 1256281 FROM generate_series(1, ";

impl Request {
    pub const ALL: [Self; 7] = [
        Self::Place,
        Self::Take,
        Self::List,
        Self::After,
        Self::One,
        Self::Push,
        Self::Pop,
    ];

    pub fn changes(self) -> bool {
        !matches!(self, Self::List | Self::After | Self::One)
    }

    pub fn is_of_queue(self) -> bool {
        matches!(self, Self::Push | Self::Pop)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Place => "`POST /orders`",
            Self::Take => "`PATCH /orders/<id>`",
            Self::List => "`GET /orders?page=1&limit=20`",
            Self::After => "`GET /orders?after=<id>&limit=20`",
            Self::One => "`GET /orders/<id>`",
            Self::Push => "`POST /api/queue/push`",
            Self::Pop => "`POST /api/queue/pop`",
        }
    }

    /// Method, path and body; `@` is an id.
    pub fn http(self) -> [&'static str; 3] {
        match self {
            Self::Place => ["POST", "/orders", ORDER],
            Self::Take => ["PATCH", "/orders/@", r#"{"status": "TAKEN"}"#],
            Self::List => ["GET", "/orders?page=1&limit=20", ""],
            Self::After => ["GET", "/orders?after=@&limit=20", ""],
            Self::One => ["GET", "/orders/@", ""],
            Self::Push => ["POST", "/api/queue/push", message!()],
            Self::Pop => ["POST", "/api/queue/pop", ""],
        }
    }

    /// The same of Webdis, which takes the last argument of a command from the body of a `PUT`.
    pub fn webdis(self) -> [&'static str; 3] {
        match self {
            Self::Push => ["PUT", "/RPUSH/message_queue", message!()],
            _ => ["GET", "/LPOP/message_queue", ""],
        }
    }

    /// The same of redis-benchmark.
    pub fn redis(self) -> &'static str {
        match self {
            Self::Push => concat!("RPUSH message_queue ", message!()),
            _ => "LPOP message_queue",
        }
    }

    /// The same of pgbench: the statements of `src/orders/store`, each written for one order, as it is fastest.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Place => {
                "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance) \
                 VALUES (:origin_lat, :origin_lng, :destination_lat, :destination_lng, :distance) RETURNING id;"
            }
            Self::Take => {
                "WITH locked AS (SELECT id, status = 'UNASSIGNED' AS free FROM orders WHERE id = :id FOR UPDATE NOWAIT), \
                 taken AS (UPDATE orders SET status = 'TAKEN', taken_at = now() FROM locked \
                 WHERE orders.id = :id AND orders.id = locked.id AND locked.free RETURNING orders.id) \
                 SELECT locked.id, taken.id IS NOT NULL FROM locked LEFT JOIN taken ON taken.id = locked.id;"
            }
            Self::After => {
                "SELECT distance, id, status FROM orders WHERE id < :id ORDER BY id DESC LIMIT :limit;"
            }
            Self::One => {
                "SELECT id, origin_lat, origin_lng, destination_lat, destination_lng, distance, status, created_at, \
                 taken_at FROM orders WHERE id = :id;"
            }
            _ => "SELECT distance, id, status FROM orders ORDER BY id DESC LIMIT :limit OFFSET :offset;",
        }
    }
}
