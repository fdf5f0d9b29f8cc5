-- The orders that a run works on, each with its newest snapshot.
SELECT order_snapshot.*, order_head.last_seen_at, order_day.business_date
FROM order_head
JOIN order_snapshot ON order_snapshot.id = order_head.snapshot_id
LEFT JOIN order_day ON order_day.order_key = order_head.order_key
WHERE order_head.order_key IN (
    SELECT order_key FROM order_head WHERE relevant_at >= :start
    UNION SELECT order_key FROM order_head WHERE open = 1
    UNION SELECT lower(order_id) FROM bill_row WHERE at >= :start AND order_id IS NOT NULL
    UNION SELECT order_key FROM notification WHERE state NOT IN ('confirmed', 'void')
    UNION SELECT lower(order_id) FROM exception WHERE status = 'open' AND order_id IS NOT NULL)
ORDER BY order_head.order_key
