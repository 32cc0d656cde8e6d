//! What is asked for: over HTTP, and of the peer that does the same without the service.

/// A request, of which each case asks for some.
pub struct Request {
    pub name: &'static str,
    /// Method, path and body; `@` is an id.
    pub http: [&'static str; 3],
    /// What it makes one more or fewer of: orders like that, of the ids from FIRST to before LAST; or messages.
    pub changes: &'static str,
    pub peer: Peer,
}

pub enum Peer {
    /// pgbench sends the statement of `src/orders/store`, written for one order.
    Pgbench(&'static str),
    /// redis-benchmark sends this command, and Webdis gets this method, path and body.
    Redis(&'static [&'static str], [&'static str; 3]),
}

pub const ORDER: &str =
    r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;

/// 100 bytes.
const MESSAGE: &str =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

/// As many orders at once as follow.
pub const ORDERS: &str = "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance) \
     SELECT 50.456399, 12.70758, 59.436487, 24.747193, 1256281 FROM generate_series(1, ";

pub static PLACE: Request = Request {
    name: "`POST /orders`",
    http: ["POST", "/orders", ORDER],
    changes: "id > LAST",
    peer: Peer::Pgbench(
        "INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance) \
         VALUES (:origin_lat, :origin_lng, :destination_lat, :destination_lng, :distance) RETURNING id",
    ),
};

pub static TAKE: Request = Request {
    name: "`PATCH /orders/<id>`",
    http: ["PATCH", "/orders/@", r#"{"status": "TAKEN"}"#],
    changes: "id >= FIRST AND id < LAST AND status = 'TAKEN'",
    peer: Peer::Pgbench(
        "WITH locked AS (SELECT id, status = 'UNASSIGNED' AS free FROM orders WHERE id = :id FOR UPDATE NOWAIT), \
         taken AS (UPDATE orders SET status = 'TAKEN', taken_at = now() FROM locked \
         WHERE orders.id = :id AND orders.id = locked.id AND locked.free RETURNING orders.id) \
         SELECT locked.id, taken.id IS NOT NULL FROM locked LEFT JOIN taken ON taken.id = locked.id",
    ),
};

pub static LIST: Request = Request {
    name: "`GET /orders?page=1&limit=20`",
    http: ["GET", "/orders?page=1&limit=20", ""],
    changes: "",
    peer: Peer::Pgbench(
        "SELECT distance, id, status FROM orders ORDER BY id DESC LIMIT :limit OFFSET :offset",
    ),
};

pub static AFTER: Request = Request {
    name: "`GET /orders?after=<id>&limit=20`",
    http: ["GET", "/orders?after=@&limit=20", ""],
    changes: "",
    peer: Peer::Pgbench(
        "SELECT distance, id, status FROM orders WHERE id < :id ORDER BY id DESC LIMIT :limit",
    ),
};

pub static SHOW: Request = Request {
    name: "`GET /orders/<id>`",
    http: ["GET", "/orders/@", ""],
    changes: "",
    peer: Peer::Pgbench(
        "SELECT id, origin_lat, origin_lng, destination_lat, destination_lng, distance, status, created_at, taken_at \
         FROM orders WHERE id = :id",
    ),
};

pub static PUSH: Request = Request {
    name: "`POST /api/queue/push`",
    http: ["POST", "/api/queue/push", MESSAGE],
    changes: "messages",
    // Webdis takes the last argument of a command from the body of a PUT.
    peer: Peer::Redis(
        &["RPUSH", "message_queue", MESSAGE],
        ["PUT", "/RPUSH/message_queue", MESSAGE],
    ),
};

pub static POP: Request = Request {
    name: "`POST /api/queue/pop`",
    http: ["POST", "/api/queue/pop", ""],
    changes: "messages",
    peer: Peer::Redis(&["LPOP", "message_queue"], ["GET", "/LPOP/message_queue", ""]),
};
