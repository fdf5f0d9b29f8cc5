-- The orders that a run works on, each with its newest snapshot: since the start of the window, open, or named by
-- the payments of the window, by those that its refunds give back, by unfinished notifications and open exceptions.
-- A push is no reason to load an order here: what is loaded here may be paid for.
WITH wanted (order_key) AS (
    SELECT order_key FROM order_head WHERE relevant_at >= :start
    UNION ALL SELECT order_key FROM order_head WHERE open = 1
    UNION ALL SELECT lower(order_id) FROM bill_row WHERE at >= :start AND order_id IS NOT NULL
    UNION ALL SELECT lower(paid.order_id) FROM bill_row AS refund JOIN bill_row AS paid ON paid.payment_id = refund.payment_id
          WHERE refund.at >= :start AND refund.kind = 'refund' AND paid.order_id IS NOT NULL
    UNION ALL SELECT order_key FROM notification WHERE state IN ('planned', 'sending', 'acknowledged', 'unknown', 'rejected', 'held')
    UNION ALL SELECT lower(order_id) FROM exception WHERE status = 'open' AND side <> 'event' AND order_id IS NOT NULL)
SELECT order_snapshot.*, order_head.last_seen_at, order_head.last_seen_run, order_day.business_date
FROM (SELECT DISTINCT order_key FROM wanted) AS wanted
JOIN order_head ON order_head.order_key = wanted.order_key
JOIN order_snapshot ON order_snapshot.id = order_head.snapshot_id
LEFT JOIN order_day ON order_day.order_key = order_head.order_key
ORDER BY order_head.order_key
