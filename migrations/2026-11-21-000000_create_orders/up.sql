CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin_lat double precision NOT NULL CHECK (origin_lat BETWEEN -90 AND 90),
    origin_lng double precision NOT NULL CHECK (origin_lng BETWEEN -180 AND 180),
    destination_lat double precision NOT NULL CHECK (destination_lat BETWEEN -90 AND 90),
    destination_lng double precision NOT NULL CHECK (destination_lng BETWEEN -180 AND 180),
    distance integer NOT NULL CHECK (distance >= 0),
    status text NOT NULL DEFAULT 'UNASSIGNED' CHECK (status IN ('UNASSIGNED', 'TAKEN')),
    created_at timestamptz NOT NULL DEFAULT now(),
    taken_at timestamptz,
    CONSTRAINT orders_taken_at_check CHECK ((status = 'TAKEN') = (taken_at IS NOT NULL))
);

COMMENT ON TABLE orders IS 'Delivery orders; each is taken by exactly one courier.';
COMMENT ON COLUMN orders.id IS 'Grows; clients see it.';
COMMENT ON COLUMN orders.origin_lat IS 'Degrees north (WGS 84) of where the goods are fetched.';
COMMENT ON COLUMN orders.origin_lng IS 'Degrees east (WGS 84) of where the goods are fetched.';
COMMENT ON COLUMN orders.destination_lat IS 'Degrees north (WGS 84) of where the goods are brought.';
COMMENT ON COLUMN orders.destination_lng IS 'Degrees east (WGS 84) of where the goods are brought.';
COMMENT ON COLUMN orders.distance IS 'From origin to destination by road, in metres.';
COMMENT ON COLUMN orders.status IS 'UNASSIGNED, or TAKEN for good.';
COMMENT ON COLUMN orders.created_at IS 'When the order was placed.';
COMMENT ON COLUMN orders.taken_at IS 'When a courier took it; null while nobody has.';
