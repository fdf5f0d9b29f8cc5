-- The exits that a run looks at: those since the start of its window, and those of which an exception is open.
WITH exits (id) AS (
    SELECT id FROM push_event WHERE exit_at >= :start
    UNION SELECT push_event.id FROM exception JOIN push_event ON push_event.kind = 'exit' AND syn_key = exception.subject
          WHERE exception.side = 'event' AND exception.status = 'open')
SELECT push_event.* FROM exits JOIN push_event ON push_event.id = exits.id ORDER BY exit_at, syn_key
