-- One order as a service would place it that sends a statement for each request.
INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
VALUES (:origin_lat, :origin_lng, :destination_lat, :destination_lng, :distance) RETURNING id;
