-- The bill rows that a run works on, in the order they were stored: those since the start of the window, and
-- every other row of the payments they speak of, of unfinished notifications and of open exceptions. A row of
-- the window that contradicts an older one under the same id would otherwise look clean. The older payments of the
-- orders that the window's payments name are among them: without the first, the second would not be one too many. Of
-- an open exception, however old, all rows are that name its order or bear its payments' trade numbers: a bill that
-- comes late may end it, and without the first payment the second would look like the only one.
WITH payment (payment_id) AS (
    SELECT payment_id FROM bill_row WHERE at >= :start AND kind = 'refund'
    UNION ALL SELECT payment_id FROM notification WHERE state IN ('planned', 'sending', 'acknowledged', 'unknown', 'rejected', 'held')
    UNION ALL SELECT payment_id FROM exception WHERE status = 'open' AND payment_id IS NOT NULL),
wanted (external_order_id) AS (
    SELECT external_order_id FROM bill_row WHERE at >= :start
    UNION ALL SELECT sibling.external_order_id FROM bill_row AS named
          JOIN bill_row AS sibling ON lower(sibling.order_id) = lower(named.order_id) AND sibling.order_id IS NOT NULL
          WHERE named.at >= :start AND named.order_id IS NOT NULL
    UNION ALL SELECT bill_row.external_order_id FROM payment JOIN bill_row ON bill_row.payment_id = payment.payment_id
    UNION ALL SELECT external_order_id FROM notification WHERE state IN ('planned', 'sending', 'acknowledged', 'unknown', 'rejected', 'held')
    UNION ALL SELECT external_order_id FROM exception WHERE status = 'open' AND external_order_id IS NOT NULL
    UNION ALL SELECT bill_row.external_order_id FROM exception
          JOIN bill_row ON lower(bill_row.order_id) = lower(exception.order_id) AND bill_row.order_id IS NOT NULL
          WHERE status = 'open' AND side <> 'event' AND exception.order_id IS NOT NULL
    UNION ALL SELECT sibling.external_order_id FROM exception
          JOIN bill_row AS own ON own.external_order_id = exception.external_order_id
          JOIN bill_row AS sibling ON sibling.trade_no = own.trade_no AND sibling.trade_no IS NOT NULL
          WHERE status = 'open' AND exception.external_order_id IS NOT NULL)
SELECT bill_row.*, bill.source, bill.role, bill.id_prefix
FROM (SELECT DISTINCT external_order_id FROM wanted) AS wanted
CROSS JOIN bill_row -- CROSS, as UNION ALL above: SQLite would scan all rows for the sake of an order
JOIN bill ON bill.id = bill_row.bill_id
WHERE bill_row.external_order_id = wanted.external_order_id
ORDER BY bill_row.bill_id, bill_row.part, bill_row.line
