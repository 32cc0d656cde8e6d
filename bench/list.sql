-- The newest 20 orders, as src/orders/store.rs asks for them.
SELECT distance, id, status FROM orders ORDER BY id DESC LIMIT :limit OFFSET :offset;
