-- Exceptions with a life: resolved by the facts or by a person, opened again, every step kept; and the roll-forward of
-- each run.

-- SQLite adds a CHECK by making the table anew.
CREATE TABLE exception_new (
    id                INTEGER PRIMARY KEY,
    kind              TEXT NOT NULL,
    business_date     TEXT NOT NULL,
    side              TEXT NOT NULL CHECK (side IN ('payment', 'order', 'event')),
    subject           TEXT NOT NULL, -- external order id, order key, synId's key
    n                 INTEGER NOT NULL DEFAULT 0,
    payment_id        TEXT,
    external_order_id TEXT,
    order_id          TEXT,
    plate             TEXT,
    paid_fen          INTEGER NOT NULL,
    due_fen           INTEGER NOT NULL CHECK (due_fen >= 0),
    stake_fen         INTEGER NOT NULL, -- the one of the two by which exceptions are summed
    at                INTEGER NOT NULL,
    rule              TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
    first_seen_at     INTEGER NOT NULL,
    first_run_id      TEXT NOT NULL REFERENCES run (id),
    last_seen_at      INTEGER NOT NULL,
    last_run_id       TEXT NOT NULL REFERENCES run (id),
    resolved_at       INTEGER,
    resolved_run_id   TEXT REFERENCES run (id), -- by the facts that this run saw
    resolved_by       TEXT,                     -- by a person
    reason            TEXT,
    note              TEXT,
    CHECK (stake_fen IN (paid_fen, due_fen)),
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK ((status = 'resolved') = (resolved_run_id IS NOT NULL) + (resolved_by IS NOT NULL)),
    CHECK (last_seen_at >= first_seen_at)
) STRICT;
INSERT INTO exception_new
SELECT id, kind, business_date, side, subject, n, payment_id, external_order_id, order_id, plate, paid_fen, due_fen,
       iif(payment_id IS NOT NULL OR side = 'event', paid_fen, due_fen), at, rule, status, first_seen_at, first_run_id,
       last_seen_at, last_run_id, resolved_at, iif(status = 'resolved', COALESCE(resolved_run_id, last_run_id), NULL), NULL,
       reason, note
FROM exception;
DROP TABLE exception;
ALTER TABLE exception_new RENAME TO exception;
CREATE UNIQUE INDEX one_open_exception_for_a_subject ON exception (side, subject, n, (kind = 'bill_disagrees'))
    WHERE status = 'open';
CREATE INDEX exception_by_subject ON exception (subject);
CREATE INDEX exception_open ON exception (id) WHERE status = 'open';

-- What happened to an exception, step by step; the last step is how it stands.
CREATE TABLE exception_event (
    id           INTEGER PRIMARY KEY, -- in the order in which it happened
    exception_id INTEGER NOT NULL REFERENCES exception (id),
    at           INTEGER NOT NULL,
    act          TEXT NOT NULL CHECK (act IN ('opened', 'changed', 'resolved', 'reopened')),
    run_id       TEXT REFERENCES run (id), -- none: a person
    person       TEXT,
    words        TEXT, -- a run's reason, a person's note
    kind         TEXT NOT NULL,
    order_id     TEXT,
    plate        TEXT,
    paid_fen     INTEGER NOT NULL,
    due_fen      INTEGER NOT NULL CHECK (due_fen >= 0),
    stake_fen    INTEGER NOT NULL,
    change_fen   INTEGER NOT NULL, -- by how much the sum of what is open grew
    CHECK ((run_id IS NULL) = (person IS NOT NULL)),
    CHECK (act NOT IN ('resolved', 'reopened') OR words IS NOT NULL),
    CHECK (person IS NULL OR (act IN ('resolved', 'reopened') AND trim(person) <> '' AND trim(words) <> '')),
    CHECK (stake_fen IN (paid_fen, due_fen)),
    CHECK (act = 'changed' OR change_fen = CASE act WHEN 'resolved' THEN -stake_fen ELSE stake_fen END)
) STRICT;
CREATE INDEX exception_event_by_exception ON exception_event (exception_id, id);
CREATE INDEX exception_event_of_kind ON exception_event (kind, exception_id);

-- The exceptions of a run in count and amount: what the run before left open, what came, what went, what is open now.
-- Dry runs change nothing and have none.
CREATE TABLE roll_forward (
    run_id         TEXT PRIMARY KEY REFERENCES run (id),
    up_to          INTEGER NOT NULL, -- the newest exception_event that is in it
    opening_count  INTEGER NOT NULL CHECK (opening_count >= 0),
    opening_fen    INTEGER NOT NULL,
    new_count      INTEGER NOT NULL CHECK (new_count >= 0),
    new_fen        INTEGER NOT NULL,
    resolved_count INTEGER NOT NULL CHECK (resolved_count >= 0),
    resolved_fen   INTEGER NOT NULL,
    closing_count  INTEGER NOT NULL CHECK (closing_count >= 0),
    closing_fen    INTEGER NOT NULL,
    CHECK (opening_count + new_count - resolved_count = closing_count),
    CHECK (opening_fen + new_fen - resolved_fen = closing_fen),
    CHECK (closing_count > 0 OR closing_fen = 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX roll_forward_by_event ON roll_forward (up_to);

-- The steps that are known of what is there: by which run it opened, and by which it ended; the amounts are the last.
INSERT INTO exception_event (exception_id, at, act, run_id, words, kind, order_id, plate, paid_fen, due_fen, stake_fen,
                             change_fen)
SELECT id, step_at, act, run_id, words, kind, order_id, plate, paid_fen, due_fen, stake_fen, change_fen
FROM (SELECT *, first_seen_at AS step_at, 'opened' AS act, first_run_id AS run_id, NULL AS words, stake_fen AS change_fen
      FROM exception
      UNION ALL
      SELECT *, resolved_at, 'resolved', resolved_run_id, COALESCE(reason, note, ''), -stake_fen
      FROM exception WHERE status = 'resolved')
ORDER BY step_at, act, id;

-- The first roll-forward has to begin somewhere: with what the last run left open.
INSERT INTO roll_forward
SELECT run.id, (SELECT COALESCE(max(id), 0) FROM exception_event), open.count, open.fen, 0, 0, 0, 0, open.count, open.fen
FROM (SELECT count(*) AS count, COALESCE(sum(stake_fen), 0) AS fen FROM exception WHERE status = 'open') AS open
JOIN run ON run.mode <> 'dry_run' AND run.status IN ('complete', 'partial')
ORDER BY run.seq DESC LIMIT 1;

-- An exception keeps what it is about, and every step of its life.
CREATE TRIGGER exception_keeps_what_it_is BEFORE UPDATE ON exception
WHEN NEW.id <> OLD.id OR NEW.business_date <> OLD.business_date OR NEW.side <> OLD.side OR NEW.subject <> OLD.subject
  OR NEW.n <> OLD.n OR NEW.external_order_id IS NOT OLD.external_order_id
  OR (NEW.kind = 'bill_disagrees') <> (OLD.kind = 'bill_disagrees')
  OR NEW.first_seen_at <> OLD.first_seen_at OR NEW.first_run_id <> OLD.first_run_id
BEGIN SELECT RAISE(ABORT, 'an exception keeps its subject'); END;
CREATE TRIGGER exception_stays BEFORE DELETE ON exception BEGIN SELECT RAISE(ABORT, 'an exception is kept'); END;
CREATE TRIGGER exception_comes_once BEFORE INSERT ON exception
WHEN EXISTS (SELECT 1 FROM exception WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an exception is kept'); END;
CREATE TRIGGER exception_event_is_kept BEFORE UPDATE ON exception_event
BEGIN SELECT RAISE(ABORT, 'the history of an exception is never changed'); END;
CREATE TRIGGER exception_event_stays BEFORE DELETE ON exception_event
BEGIN SELECT RAISE(ABORT, 'the history of an exception is never deleted'); END;
CREATE TRIGGER exception_event_comes_last BEFORE INSERT ON exception_event
WHEN (NEW.id > 0 AND EXISTS (SELECT 1 FROM exception_event WHERE id >= NEW.id))
  OR COALESCE((SELECT act FROM exception_event WHERE exception_id = NEW.exception_id ORDER BY id DESC LIMIT 1), '')
     || '>' || NEW.act NOT IN (
    '>opened', 'opened>changed', 'changed>changed', 'reopened>changed',
    'opened>resolved', 'changed>resolved', 'reopened>resolved', 'resolved>reopened')
  OR (NEW.act IN ('changed', 'resolved') AND NEW.change_fen <> CASE NEW.act WHEN 'changed' THEN NEW.stake_fen ELSE 0 END
     - (SELECT stake_fen FROM exception_event WHERE exception_id = NEW.exception_id ORDER BY id DESC LIMIT 1))
BEGIN SELECT RAISE(ABORT, 'no such step of an exception'); END;
CREATE TRIGGER roll_forward_is_kept BEFORE UPDATE ON roll_forward
BEGIN SELECT RAISE(ABORT, 'a roll-forward is never changed'); END;
CREATE TRIGGER roll_forward_stays BEFORE DELETE ON roll_forward
BEGIN SELECT RAISE(ABORT, 'a roll-forward is never deleted'); END;
-- It begins where the one before ended, counts each step since then once, and ends with what is open.
CREATE TRIGGER roll_forward_ties_out BEFORE INSERT ON roll_forward
WHEN EXISTS (SELECT 1 FROM roll_forward WHERE run_id = NEW.run_id)
  OR NOT EXISTS (SELECT 1 FROM run WHERE id = NEW.run_id AND mode <> 'dry_run')
  OR NEW.up_to <> (SELECT COALESCE(max(id), 0) FROM exception_event)
  OR (NEW.opening_count, NEW.opening_fen) IS NOT (
      SELECT COALESCE(max(closing_count), 0), COALESCE(max(closing_fen), 0)
      FROM (SELECT closing_count, closing_fen FROM roll_forward JOIN run ON run.id = run_id ORDER BY seq DESC LIMIT 1))
  OR (NEW.new_count, NEW.new_fen, NEW.resolved_count, NEW.resolved_fen) IS NOT (
      SELECT COALESCE(sum(act IN ('opened', 'reopened')), 0),
             COALESCE(sum(iif(act IN ('opened', 'reopened') OR (act = 'changed' AND change_fen > 0), change_fen, 0)), 0),
             COALESCE(sum(act = 'resolved'), 0),
             COALESCE(-sum(iif(act = 'resolved' OR (act = 'changed' AND change_fen < 0), change_fen, 0)), 0)
      FROM exception_event WHERE id > (SELECT COALESCE(max(up_to), 0) FROM roll_forward))
  OR (NEW.closing_count, NEW.closing_fen) IS NOT (
      SELECT count(*), COALESCE(sum(stake_fen), 0) FROM exception WHERE status = 'open')
BEGIN SELECT RAISE(ABORT, 'the exceptions do not tie out'); END;
CREATE TRIGGER run_ends_with_its_roll_forward BEFORE UPDATE OF status ON run
WHEN NEW.status IN ('complete', 'partial') AND NEW.mode <> 'dry_run'
  AND NOT EXISTS (SELECT 1 FROM roll_forward WHERE run_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a finished run has its roll-forward'); END;
