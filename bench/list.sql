-- The newest 20 orders, as src/orders/store asks for them.
SELECT distance, id, status FROM orders ORDER BY id DESC LIMIT :limit OFFSET :offset;
