-- Takes one order, as src/orders/store does. Each client goes through ids that are its own.
\set turn :turn + 1
\set id :first + :turn * 16 + :client_id
WITH locked AS (SELECT id, status FROM orders WHERE id = ANY(ARRAY[:id::bigint]) ORDER BY id FOR UPDATE NOWAIT),
  taken AS (UPDATE orders SET status = 'TAKEN', taken_at = now() FROM locked
    WHERE orders.id = locked.id AND locked.status = 'UNASSIGNED' RETURNING orders.id)
SELECT locked.id, taken.id IS NOT NULL FROM locked LEFT JOIN taken ON taken.id = locked.id;
