-- The bill rows that a run works on, in the order they were stored.
SELECT bill_row.*, bill.source, bill.role
FROM bill_row JOIN bill ON bill.id = bill_row.bill_id
WHERE bill_row.at >= :start
   OR bill_row.payment_id IN (SELECT payment_id FROM bill_row WHERE kind = 'refund' AND at >= :start)
   OR bill_row.external_order_id IN (SELECT external_order_id FROM notification WHERE state NOT IN ('confirmed', 'void'))
   OR bill_row.external_order_id IN (SELECT external_order_id FROM exception WHERE status = 'open')
ORDER BY bill_row.bill_id, bill_row.line
