-- What `orders_since.sql` leaves out of the orders that the exits of a run may be about, by id or by plate and
-- entrance: those that closed before the window, each with its newest snapshot. The exits are those of
-- `exit_events.sql`, with all that was said of them.
WITH ids (id) AS (
    SELECT id FROM push_event WHERE exit_at >= :start
    UNION SELECT event_id FROM push_contradiction WHERE detail ->> '$.exit_at' >= :start_wall
    UNION SELECT push_event.id FROM exception
          JOIN push_event ON push_event.kind = 'exit' AND syn_key = exception.subject
          WHERE exception.side = 'event' AND exception.status = 'open'),
exits (syn_key, plate, entrance_at) AS (
    SELECT syn_key, plate, entrance_at FROM ids JOIN push_event ON push_event.id = ids.id
    -- Contents tell times by the platform's wall clock; the start in both says how far that is ahead.
    UNION SELECT syn_key, detail ->> '$.plate',
                 unixepoch(detail ->> '$.entrance_at') - (unixepoch(:start_wall) - :start)
          FROM ids JOIN push_event ON push_event.id = ids.id
          JOIN push_contradiction ON push_contradiction.event_id = ids.id),
old (order_key) AS (
    SELECT order_key FROM exits JOIN order_head ON order_key = syn_key WHERE open = 0 AND relevant_at < :start
    UNION SELECT order_head.order_key FROM exits
          JOIN order_snapshot ON order_snapshot.plate = exits.plate
               AND order_snapshot.entrance_at BETWEEN exits.entrance_at - :within_s AND exits.entrance_at + :within_s
          JOIN order_head ON order_head.snapshot_id = order_snapshot.id
          WHERE order_head.open = 0 AND order_head.relevant_at < :start)
SELECT order_snapshot.*, order_head.last_seen_at, order_head.last_seen_run, order_day.business_date
FROM old
JOIN order_head ON order_head.order_key = old.order_key
JOIN order_snapshot ON order_snapshot.id = order_head.snapshot_id
LEFT JOIN order_day ON order_day.order_key = order_head.order_key
ORDER BY order_head.order_key
