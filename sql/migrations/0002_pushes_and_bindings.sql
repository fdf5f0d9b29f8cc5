-- Pushes of the platform, what was asked of it by hand (SMS codes, bindings), and exceptions about a push.

-- A push, the first of its kind and synId; a parking stay has at most one entrance and one exit.
CREATE TABLE push_event (
    id             INTEGER PRIMARY KEY,
    kind           TEXT NOT NULL CHECK (kind IN ('entrance', 'exit')),
    syn_key        TEXT NOT NULL CHECK (syn_key = lower(syn_key) AND syn_key <> ''),
    syn_id         TEXT NOT NULL,
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64), -- of what it says of the stay, whenever it was sent
    plate          TEXT NOT NULL CHECK (plate <> ''),
    parking_id     TEXT NOT NULL,
    parking_name   TEXT NOT NULL,
    entrance_at    INTEGER NOT NULL,
    exit_at        INTEGER,
    fee_fen        INTEGER CHECK (fee_fen >= 0),
    pushed_at      INTEGER,
    received_at    INTEGER NOT NULL,
    UNIQUE (kind, syn_key),
    CHECK ((kind = 'exit') = (exit_at IS NOT NULL)),
    CHECK ((kind = 'exit') = (fee_fen IS NOT NULL))
) STRICT;
CREATE INDEX push_event_by_exit ON push_event (exit_at) WHERE exit_at IS NOT NULL;
CREATE INDEX push_event_by_stay ON push_event (syn_key);
CREATE INDEX push_event_by_car ON push_event (plate, entrance_at);
-- A push may name its stay by another id than its order.
CREATE INDEX order_snapshot_by_car ON order_snapshot (plate, entrance_at);

-- The same push with other content: the first one counts, what the others said is kept.
CREATE TABLE push_contradiction (
    event_id       INTEGER NOT NULL REFERENCES push_event (id),
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64),
    detail         TEXT NOT NULL, -- a JSON object
    received_at    INTEGER NOT NULL,
    PRIMARY KEY (event_id, content_sha256)
) STRICT, WITHOUT ROWID;

-- When a phone was last sent a code by SMS.
CREATE TABLE sms_code (
    mobile   TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the platform was asked to bind and unbind; written before it is asked, its outcome after.
CREATE TABLE binding (
    id       INTEGER PRIMARY KEY,
    act      TEXT NOT NULL CHECK (act IN ('bind', 'unbind')),
    mobile   TEXT NOT NULL,
    plate    TEXT NOT NULL,
    color    INTEGER CHECK (color BETWEEN 1 AND 4),
    asked_at INTEGER NOT NULL,
    outcome  TEXT CHECK (outcome IN ('done', 'refused', 'not_sent', 'unknown')), -- none: the program ended in between
    CHECK ((act = 'bind') = (color IS NOT NULL))
) STRICT;
CREATE INDEX binding_by_mobile ON binding (mobile, asked_at);

-- An exception may be about a push, too. SQLite changes a CHECK by making the table anew.
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
    at                INTEGER NOT NULL,
    rule              TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
    first_seen_at     INTEGER NOT NULL,
    first_run_id      TEXT NOT NULL REFERENCES run (id),
    last_seen_at      INTEGER NOT NULL,
    last_run_id       TEXT NOT NULL REFERENCES run (id),
    resolved_at       INTEGER,
    resolved_run_id   TEXT REFERENCES run (id),
    resolved_by       TEXT,
    reason            TEXT,
    note              TEXT,
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK (last_seen_at >= first_seen_at)
) STRICT;
INSERT INTO exception_new SELECT * FROM exception;
DROP TABLE exception;
ALTER TABLE exception_new RENAME TO exception;
CREATE UNIQUE INDEX one_open_exception_for_a_subject ON exception (side, subject, n, (kind = 'bill_disagrees'))
    WHERE status = 'open';
CREATE INDEX exception_by_subject ON exception (subject);
CREATE INDEX exception_open ON exception (id) WHERE status = 'open';

CREATE TRIGGER push_event_is_kept BEFORE UPDATE ON push_event BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER push_event_stays BEFORE DELETE ON push_event BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER push_event_comes_once BEFORE INSERT ON push_event
WHEN EXISTS (SELECT 1 FROM push_event WHERE id = NEW.id OR (kind = NEW.kind AND syn_key = NEW.syn_key))
BEGIN SELECT RAISE(ABORT, 'evidence is never replaced'); END;
CREATE TRIGGER push_contradiction_is_kept BEFORE UPDATE ON push_contradiction
BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER push_contradiction_stays BEFORE DELETE ON push_contradiction
BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER push_contradiction_comes_once BEFORE INSERT ON push_contradiction
WHEN EXISTS (SELECT 1 FROM push_contradiction WHERE event_id = NEW.event_id AND content_sha256 = NEW.content_sha256)
BEGIN SELECT RAISE(ABORT, 'evidence is never replaced'); END;
CREATE TRIGGER binding_ends_once BEFORE UPDATE ON binding
WHEN OLD.outcome IS NOT NULL OR NEW.act <> OLD.act OR NEW.mobile <> OLD.mobile OR NEW.plate <> OLD.plate
  OR NEW.asked_at <> OLD.asked_at
BEGIN SELECT RAISE(ABORT, 'what was asked stays asked'); END;
CREATE TRIGGER binding_stays BEFORE DELETE ON binding BEGIN SELECT RAISE(ABORT, 'what was asked stays asked'); END;
