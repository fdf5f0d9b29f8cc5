-- The exits that a run looks at: those since the start of its window, and those of which an exception is open. Each
-- with all that was said of it: what came first, then what came again with other content (`otherwise`).
-- Contents tell times by the platform's wall clock.
WITH exits (id) AS (
    SELECT id FROM push_event WHERE exit_at >= :start
    UNION SELECT event_id FROM push_contradiction WHERE detail ->> '$.exit_at' >= :start_wall
    UNION SELECT push_event.id FROM exception JOIN push_event ON push_event.kind = 'exit' AND syn_key = exception.subject
          WHERE exception.side = 'event' AND exception.status = 'open'),
contents (id, otherwise) AS (
    SELECT id, NULL FROM exits
    UNION ALL SELECT exits.id, detail FROM exits JOIN push_contradiction ON event_id = exits.id)
SELECT push_event.*, otherwise FROM contents JOIN push_event ON push_event.id = contents.id
ORDER BY exit_at, syn_key, otherwise
