-- What every table holds, for readers too; schema.sql is the sum of all migrations, a test compares the two.
-- Amounts are INTEGER fen, instants INTEGER seconds since 1970 UTC, days TEXT yyyy-mm-dd in Asia/Shanghai.
-- Evidence (bill, bill_row, set_aside, order_snapshot, push_event, push_contradiction), the history of exceptions,
-- roll-forwards and the journal are never changed: triggers refuse it.

-- Which platform and merchant this database belongs to.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The roster: bound plates, each of one user. The lowest id is a user's first plate.
CREATE TABLE plate (
    id     INTEGER PRIMARY KEY,
    plate  TEXT NOT NULL UNIQUE,
    mobile TEXT NOT NULL,
    color  INTEGER NOT NULL CHECK (color BETWEEN 1 AND 4)
) STRICT;
CREATE INDEX plate_by_mobile ON plate (mobile);

-- The platform's tokens: secrets, gone when void.
CREATE TABLE session (
    mobile      TEXT PRIMARY KEY,
    token       TEXT NOT NULL,
    obtained_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One reconciliation of one date.
CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    seq           INTEGER NOT NULL UNIQUE,
    business_date TEXT NOT NULL,
    mode          TEXT NOT NULL CHECK (mode IN ('live', 'dry_run', 'offline')),
    status        TEXT NOT NULL CHECK (status IN ('running', 'complete', 'partial', 'failed')),
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    rerun_of      TEXT REFERENCES run (id),
    summary       TEXT,
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK (status NOT IN ('complete', 'partial') OR summary IS NOT NULL)
) STRICT;
CREATE INDEX run_by_date ON run (business_date, seq);

-- A bill, known by its content. The first and last date are those of its rows, the period is what it says it is for.
CREATE TABLE bill (
    id                     INTEGER PRIMARY KEY,
    sha256                 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
    file_name              TEXT NOT NULL,
    source                 TEXT NOT NULL,
    role                   TEXT NOT NULL CHECK (role IN ('trade', 'ledger')),
    profile                TEXT NOT NULL,
    id_prefix              TEXT NOT NULL,
    imported_at            INTEGER NOT NULL,
    first_date             TEXT,
    last_date              TEXT,
    payments               INTEGER NOT NULL CHECK (payments >= 0),
    refunds                INTEGER NOT NULL CHECK (refunds >= 0),
    ignored                INTEGER NOT NULL CHECK (ignored >= 0),
    set_aside              INTEGER NOT NULL CHECK (set_aside >= 0),
    has_external_order_ids INTEGER NOT NULL CHECK (has_external_order_ids IN (0, 1)),
    period_first           TEXT,
    period_last            TEXT CHECK ((period_first IS NULL) = (period_last IS NULL) AND period_first <= period_last),
    CHECK ((first_date IS NULL) = (last_date IS NULL)),
    CHECK (first_date <= last_date)
) STRICT;

-- A row of a bill that moved money; a fee is no payment, and evidence beside it.
CREATE TABLE bill_row (
    bill_id           INTEGER NOT NULL REFERENCES bill (id) DEFERRABLE INITIALLY DEFERRED, -- its counts are known at its end
    part              INTEGER NOT NULL CHECK (part >= 1), -- which one of an archive
    line              INTEGER NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('payment', 'refund', 'fee')),
    payment_id        TEXT NOT NULL CHECK (payment_id <> ''),
    refund_id         TEXT,
    external_order_id TEXT NOT NULL CHECK (external_order_id <> ''),
    trade_no          TEXT,
    order_id          TEXT,
    plate             TEXT,
    amount_fen        INTEGER NOT NULL CHECK (amount_fen > 0),
    received_fen      INTEGER CHECK (received_fen >= 0), -- before fees; of a refund what was taken back
    fee_units         INTEGER, -- in 1/100,000 yuan; above zero a cost
    refunded_fen      INTEGER NOT NULL CHECK (refunded_fen >= 0),
    refund_pending    INTEGER NOT NULL CHECK (refund_pending IN (0, 1)),
    at                INTEGER NOT NULL,
    channel           TEXT NOT NULL,
    PRIMARY KEY (bill_id, part, line),
    CHECK (kind <> 'fee' OR fee_units IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX bill_row_by_time ON bill_row (at);
CREATE INDEX bill_row_by_payment ON bill_row (payment_id);
CREATE INDEX bill_row_by_external_order ON bill_row (external_order_id);
CREATE INDEX bill_row_by_order ON bill_row (lower(order_id)) WHERE order_id IS NOT NULL;
CREATE INDEX bill_row_by_refund ON bill_row (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX bill_row_by_trade ON bill_row (trade_no) WHERE trade_no IS NOT NULL;

-- A row of a bill that could not be read, kept with its reason.
CREATE TABLE set_aside (
    bill_id     INTEGER NOT NULL REFERENCES bill (id) DEFERRABLE INITIALLY DEFERRED,
    part        INTEGER NOT NULL CHECK (part >= 1),
    line        INTEGER NOT NULL,
    column_name TEXT,
    value       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (bill_id, part, line)
) STRICT, WITHOUT ROWID;

-- An order as the platform showed it at one moment; a new row only when something differs from the one before.
CREATE TABLE order_snapshot (
    id           INTEGER PRIMARY KEY,
    order_key    TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    plate        TEXT,
    parking_id   TEXT NOT NULL,
    parking_name TEXT NOT NULL,
    entrance_at  INTEGER NOT NULL,
    exit_at      INTEGER, -- none while open; the platform may leave it out of a closed one
    state        TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    fee_fen      INTEGER NOT NULL CHECK (fee_fen >= 0),
    rest_fen     INTEGER NOT NULL CHECK (rest_fen BETWEEN 0 AND fee_fen), -- open: remaining; closed: cash
    seen_at      INTEGER NOT NULL,
    run_id       TEXT REFERENCES run (id),
    CHECK (order_key = lower(order_key)),
    CHECK (state = 'closed' OR exit_at IS NULL)
) STRICT;
CREATE INDEX order_snapshot_by_order ON order_snapshot (order_key, seen_at);
CREATE INDEX order_snapshot_by_car ON order_snapshot (plate, entrance_at); -- a push may name its stay by another id

-- The newest snapshot of each order, and when the platform last listed it.
CREATE TABLE order_head (
    order_key    TEXT PRIMARY KEY,
    snapshot_id  INTEGER NOT NULL UNIQUE REFERENCES order_snapshot (id),
    open         INTEGER NOT NULL CHECK (open IN (0, 1)),
    relevant_at  INTEGER NOT NULL, -- exit, else entrance: what a window of days selects by
    last_seen_at INTEGER NOT NULL,
    last_seen_run TEXT REFERENCES run (id) -- in whose pull; two runs may fall into one second
) STRICT, WITHOUT ROWID;
CREATE INDEX order_head_by_time ON order_head (relevant_at);
CREATE INDEX order_head_open ON order_head (order_key) WHERE open = 1;

-- The day of an order, once a finished run has reported it.
CREATE TABLE order_day (
    order_key     TEXT PRIMARY KEY,
    business_date TEXT NOT NULL,
    run_id        TEXT NOT NULL REFERENCES run (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_day_by_date ON order_day (business_date);

-- Which plates a run really pulled.
CREATE TABLE coverage (
    run_id    TEXT NOT NULL REFERENCES run (id),
    plate     TEXT NOT NULL,
    mobile    TEXT NOT NULL,
    pulled_at INTEGER NOT NULL,
    failure   TEXT, -- NULL: pulled
    doubtful  INTEGER NOT NULL CHECK (doubtful IN (0, 1)), -- a record of it was rejected
    PRIMARY KEY (run_id, plate)
) STRICT, WITHOUT ROWID;

-- An order record of the platform that could not be taken.
CREATE TABLE rejected_record (
    id       INTEGER PRIMARY KEY,
    run_id   TEXT NOT NULL REFERENCES run (id),
    order_id TEXT,
    plate    TEXT,
    reason   TEXT NOT NULL
) STRICT;
CREATE INDEX rejected_record_by_run ON rejected_record (run_id);

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

-- The same push with other content: what each of them says is kept, and judged.
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

-- One orderpaid owed to the platform.
CREATE TABLE notification (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, so that a withdrawn one is not taken for its successor
    external_order_id  TEXT NOT NULL UNIQUE,
    payment_id         TEXT NOT NULL,
    order_key          TEXT NOT NULL CHECK (order_key = lower(order_key)),
    order_id           TEXT NOT NULL,
    plate              TEXT NOT NULL,
    mobile             TEXT NOT NULL,
    amount_fen         INTEGER NOT NULL CHECK (amount_fen > 0),
    pay_time_at        INTEGER NOT NULL,
    state              TEXT NOT NULL CHECK (state IN
                           ('planned', 'sending', 'acknowledged', 'confirmed', 'unknown', 'rejected', 'held', 'void')),
    why                TEXT NOT NULL DEFAULT '',
    sends              INTEGER NOT NULL DEFAULT 0 CHECK (sends >= 0),
    sends_released     INTEGER NOT NULL DEFAULT 0 CHECK (sends_released >= 0), -- sends that a person allowed
    tainted            INTEGER NOT NULL DEFAULT 0 CHECK (tainted IN (0, 1)),
    proved_absent      INTEGER NOT NULL DEFAULT 0 CHECK (proved_absent IN (0, 1)),
    released           INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),
    base_paid_fen      INTEGER,
    base_fee_fen       INTEGER,
    base_remaining_fen INTEGER,
    last_byte_at       INTEGER,
    first_unknown_at   INTEGER,
    negative_reads     INTEGER NOT NULL DEFAULT 0 CHECK (negative_reads >= 0),
    unlisted_runs      INTEGER NOT NULL DEFAULT 0 CHECK (unlisted_runs >= 0),
    unlisted_run       TEXT, -- the last run that counted in unlisted_runs
    resent_run         TEXT, -- the last run that sent it again
    pay_order_id       TEXT,
    planned_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    revision           INTEGER NOT NULL DEFAULT 0, -- grows with every change, so that a stale look changes nothing
    CHECK (sends <= 3 OR sends <= sends_released),
    CHECK (state <> 'rejected' OR (sends = 1 AND tainted = 0)), -- a refusal ends only the first attempt
    CHECK (state <> 'unknown' OR tainted = 1 OR sends = 1),
    CHECK (state <> 'sending' OR (sends > 0 AND base_paid_fen IS NOT NULL)),
    CHECK (state <> 'acknowledged' OR pay_order_id IS NOT NULL),
    CHECK (state NOT IN ('acknowledged', 'confirmed', 'rejected', 'unknown') OR sends > 0),
    CHECK ((base_paid_fen IS NULL) = (base_fee_fen IS NULL) AND (base_paid_fen IS NULL) = (base_remaining_fen IS NULL))
) STRICT;
-- A second payment of an order can be notified only when the first is confirmed.
CREATE UNIQUE INDEX one_unfinished_notification_for_an_order ON notification (order_key)
    WHERE state IN ('planned', 'sending', 'unknown', 'held', 'acknowledged');
CREATE INDEX notification_by_state ON notification (state);
CREATE INDEX notification_by_order ON notification (order_key);

-- One orderpaid that was, or may have been, on the wire; written before its first byte. It outlives a
-- notification that was withdrawn because nothing had left the machine, so it names the id, not the row.
CREATE TABLE attempt (
    external_order_id   TEXT NOT NULL,
    n                   INTEGER NOT NULL CHECK (n >= 1),
    run_id              TEXT NOT NULL REFERENCES run (id),
    started_at          INTEGER NOT NULL,
    request_sha256      TEXT NOT NULL CHECK (length(request_sha256) = 64), -- of the business fields
    verification_sha256 TEXT NOT NULL CHECK (length(verification_sha256) = 64),
    finished_at         INTEGER,
    outcome             TEXT CHECK (outcome IN ('acknowledged', 'not_sent', 'refused', 'unclear')),
    code                INTEGER,
    message             TEXT,
    pay_order_id        TEXT,
    PRIMARY KEY (external_order_id, n),
    CHECK ((finished_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_open_attempt ON attempt (external_order_id) WHERE finished_at IS NULL;

-- What a run called each payment and order of its date, and by which rule.
CREATE TABLE outcome (
    run_id      TEXT NOT NULL REFERENCES run (id),
    side        TEXT NOT NULL CHECK (side IN ('payment', 'order')),
    subject     TEXT NOT NULL, -- external order id, order key
    n           INTEGER NOT NULL, -- tells the contents of one conflicting id apart
    disposition TEXT NOT NULL,
    rule        TEXT NOT NULL,
    counterpart TEXT,
    amount_fen  INTEGER NOT NULL,
    PRIMARY KEY (run_id, side, subject, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_by_subject ON outcome (subject);

-- A disposition that a person has to look at, from the first run that saw it to its end.
CREATE TABLE exception (
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

-- The mail outbox: stored before it is sent.
CREATE TABLE mail (
    id         INTEGER PRIMARY KEY,
    run_id     TEXT NOT NULL REFERENCES run (id),
    message_id TEXT NOT NULL UNIQUE,
    sender     TEXT NOT NULL,
    recipients TEXT NOT NULL, -- a JSON list, sorted
    subject    TEXT NOT NULL,
    raw        BLOB NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'sent')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    sent_at    INTEGER,
    UNIQUE (run_id, recipients),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) STRICT;

-- Each recipient of a mail: who has it, who is still to get it, whom the server refuses for good.
CREATE TABLE mail_recipient (
    mail_id    INTEGER NOT NULL REFERENCES mail (id),
    address    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'refused')),
    accepted   INTEGER NOT NULL DEFAULT 0 CHECK (accepted >= 0), -- how often; above 1 by `report --send` or after a crash
    refusals   INTEGER NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    last_error TEXT,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (mail_id, address),
    CHECK ((state = 'accepted') = (accepted > 0)),
    CHECK (state <> 'refused' OR refusals > 0)
) STRICT, WITHOUT ROWID;

-- The report of a finished run, and what the rows of its spreadsheet say. Gone when pruned, never changed.
CREATE TABLE report (
    run_id        TEXT PRIMARY KEY REFERENCES run (id),
    data          BLOB NOT NULL, -- what it says, JSON, gzip
    ledger        BLOB NOT NULL, -- its payments, orders and notifications, JSON, gzip
    matched_count INTEGER NOT NULL CHECK (matched_count >= 0), -- what the chart of later reports shows of it
    matched_fen   INTEGER NOT NULL CHECK (matched_fen >= 0),
    open_count    INTEGER NOT NULL CHECK (open_count >= 0),
    open_fen      INTEGER NOT NULL,
    oldest_days   INTEGER NOT NULL CHECK (oldest_days >= 0)
) STRICT;

-- Every decision and attempt that concerns money, each row with the hash of the one before.
CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    run_id    TEXT,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT NOT NULL, -- a JSON object
    prev_hash TEXT NOT NULL CHECK (length(prev_hash) = 64),
    hash      TEXT NOT NULL UNIQUE CHECK (length(hash) = 64)
) STRICT;
CREATE INDEX journal_by_subject ON journal (subject);

-- Evidence. The triggers on INSERT are there for INSERT OR REPLACE, which deletes without asking those on DELETE.
CREATE TRIGGER bill_is_kept BEFORE UPDATE ON bill BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER bill_stays BEFORE DELETE ON bill BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER bill_comes_once BEFORE INSERT ON bill
WHEN EXISTS (SELECT 1 FROM bill WHERE id = NEW.id OR sha256 = NEW.sha256)
BEGIN SELECT RAISE(ABORT, 'evidence is never replaced'); END;
CREATE TRIGGER bill_row_is_kept BEFORE UPDATE ON bill_row BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER bill_row_stays BEFORE DELETE ON bill_row BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER bill_row_comes_with_its_bill BEFORE INSERT ON bill_row
WHEN EXISTS (SELECT 1 FROM bill WHERE id = NEW.bill_id)
  OR EXISTS (SELECT 1 FROM bill_row WHERE bill_id = NEW.bill_id AND part = NEW.part AND line = NEW.line)
BEGIN SELECT RAISE(ABORT, 'evidence is never replaced, and nothing is added to a bill'); END;
CREATE TRIGGER set_aside_is_kept BEFORE UPDATE ON set_aside BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER set_aside_stays BEFORE DELETE ON set_aside BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER set_aside_comes_with_its_bill BEFORE INSERT ON set_aside
WHEN EXISTS (SELECT 1 FROM bill WHERE id = NEW.bill_id)
  OR EXISTS (SELECT 1 FROM set_aside WHERE bill_id = NEW.bill_id AND part = NEW.part AND line = NEW.line)
BEGIN SELECT RAISE(ABORT, 'evidence is never replaced, and nothing is added to a bill'); END;
CREATE TRIGGER order_snapshot_is_kept BEFORE UPDATE ON order_snapshot BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER order_snapshot_stays BEFORE DELETE ON order_snapshot BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER order_snapshot_comes_once BEFORE INSERT ON order_snapshot
WHEN EXISTS (SELECT 1 FROM order_snapshot WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'evidence is never replaced'); END;
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

-- What a finished run said stays said.
CREATE TRIGGER run_ends_once BEFORE UPDATE ON run
WHEN NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.business_date <> OLD.business_date OR NEW.mode <> OLD.mode
  OR (OLD.status <> 'running' AND (NEW.status <> OLD.status OR NEW.finished_at IS NOT OLD.finished_at))
BEGIN SELECT RAISE(ABORT, 'a run ends once'); END;
CREATE TRIGGER outcome_is_kept BEFORE UPDATE ON outcome BEGIN SELECT RAISE(ABORT, 'an outcome is never changed'); END;
CREATE TRIGGER order_day_is_kept BEFORE UPDATE ON order_day BEGIN SELECT RAISE(ABORT, 'a reported order keeps its day'); END;
CREATE TRIGGER mail_is_what_it_was BEFORE UPDATE ON mail
WHEN OLD.state = 'sent' OR NEW.run_id <> OLD.run_id OR NEW.message_id <> OLD.message_id
  OR NEW.recipients <> OLD.recipients OR NEW.raw <> OLD.raw
BEGIN SELECT RAISE(ABORT, 'a mail is sent as it was stored, and not taken back'); END;
CREATE TRIGGER mail_recipient_has_what_it_has BEFORE UPDATE ON mail_recipient
WHEN NEW.mail_id <> OLD.mail_id OR NEW.address <> OLD.address OR NEW.accepted < OLD.accepted OR NEW.refusals < OLD.refusals
BEGIN SELECT RAISE(ABORT, 'what a recipient was given is not taken back'); END;
CREATE TRIGGER report_is_kept BEFORE UPDATE ON report BEGIN SELECT RAISE(ABORT, 'a report stays as it was made'); END;
CREATE TRIGGER meta_stays_bound BEFORE UPDATE ON meta
WHEN OLD.key IN ('platform', 'merchant_no') AND NEW.value <> OLD.value
BEGIN SELECT RAISE(ABORT, 'a database belongs to one platform and merchant'); END;

CREATE TRIGGER journal_is_kept BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_stays BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_chained BEFORE INSERT ON journal
WHEN NEW.prev_hash <> COALESCE((SELECT hash FROM journal ORDER BY seq DESC LIMIT 1), printf('%064d', 0))
  OR NEW.seq <> COALESCE((SELECT max(seq) FROM journal), 0) + 1
  OR EXISTS (SELECT 1 FROM journal WHERE hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the journal is a chain'); END;

CREATE TRIGGER notification_keeps_what_it_is BEFORE UPDATE ON notification
WHEN NEW.id <> OLD.id OR NEW.external_order_id <> OLD.external_order_id OR NEW.payment_id <> OLD.payment_id
  OR NEW.order_key <> OLD.order_key OR NEW.order_id <> OLD.order_id
  OR NEW.amount_fen <> OLD.amount_fen OR NEW.pay_time_at <> OLD.pay_time_at OR NEW.planned_at <> OLD.planned_at
BEGIN SELECT RAISE(ABORT, 'a notification never changes its ids, amount or time'); END;
CREATE TRIGGER notification_forgets_no_attempt BEFORE UPDATE ON notification
WHEN NEW.tainted < OLD.tainted
  OR (OLD.pay_order_id IS NOT NULL AND NEW.pay_order_id IS NOT OLD.pay_order_id)
  OR NEW.revision < OLD.revision
  -- Back to planned from sending: the first attempt, of which nothing had left the machine.
  OR (OLD.state = 'sending' AND NEW.state = 'planned'
      AND NOT (OLD.tainted = 0 AND OLD.sends = 1 AND NEW.sends = 0))
  OR (OLD.state = 'planned' AND NEW.state = 'sending' AND NEW.sends <> OLD.sends + 1)
  OR (OLD.state || '>' || NEW.state NOT IN ('sending>planned', 'planned>sending')
      AND (NEW.sends <> OLD.sends OR (OLD.base_paid_fen IS NOT NULL AND NEW.base_paid_fen IS NULL)))
BEGIN SELECT RAISE(ABORT, 'a notification forgets no attempt, and counts each once'); END;
CREATE TRIGGER notification_moves_only_as_drawn BEFORE UPDATE OF state ON notification
WHEN OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) IN (
    'planned>sending', 'planned>unknown', 'planned>held', 'planned>void',
    'sending>acknowledged', 'sending>unknown', 'sending>rejected', 'sending>planned',
    'acknowledged>confirmed',
    'unknown>confirmed', 'unknown>planned', 'unknown>rejected', 'unknown>held', 'unknown>void',
    'held>planned', 'held>unknown', 'held>void',
    'rejected>planned', 'rejected>void')
BEGIN SELECT RAISE(ABORT, 'no such step of a notification'); END;
CREATE TRIGGER notification_waits_for_the_other BEFORE UPDATE OF state ON notification -- for UPDATE OR REPLACE
WHEN NEW.state IN ('planned', 'sending', 'unknown', 'held', 'acknowledged')
  AND EXISTS (SELECT 1 FROM notification WHERE order_key = NEW.order_key AND id <> OLD.id
              AND state IN ('planned', 'sending', 'unknown', 'held', 'acknowledged'))
BEGIN SELECT RAISE(ABORT, 'another notification of the order is unfinished'); END;
CREATE TRIGGER notification_begins_unsent BEFORE INSERT ON notification
WHEN NEW.state NOT IN ('planned', 'held') OR NEW.sends <> 0 OR NEW.tainted <> 0 OR NEW.pay_order_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a notification begins planned or held, and unsent'); END;
CREATE TRIGGER notification_comes_once BEFORE INSERT ON notification
WHEN EXISTS (SELECT 1 FROM notification WHERE id = NEW.id OR external_order_id = NEW.external_order_id)
  OR EXISTS (SELECT 1 FROM notification WHERE order_key = NEW.order_key
             AND state IN ('planned', 'sending', 'unknown', 'held', 'acknowledged'))
BEGIN SELECT RAISE(ABORT, 'one notification for an external order id, one unfinished for an order'); END;
CREATE TRIGGER notification_that_left_stays BEFORE DELETE ON notification
WHEN OLD.state <> 'planned' OR OLD.sends > 0 OR OLD.tainted = 1
  OR EXISTS (SELECT 1 FROM attempt WHERE external_order_id = OLD.external_order_id
             AND (outcome IS NULL OR outcome <> 'not_sent'))
BEGIN SELECT RAISE(ABORT, 'only a plan that was never sent can be withdrawn'); END;

CREATE TRIGGER attempt_is_announced BEFORE INSERT ON attempt
WHEN NEW.finished_at IS NOT NULL
  OR NEW.n <> (SELECT COALESCE(max(n), 0) + 1 FROM attempt WHERE external_order_id = NEW.external_order_id)
  OR NOT EXISTS (SELECT 1 FROM notification WHERE external_order_id = NEW.external_order_id AND state = 'sending')
  OR EXISTS (SELECT 1 FROM attempt WHERE external_order_id = NEW.external_order_id AND finished_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'an attempt is the next one of a notification that is being sent'); END;
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER attempt_ends_once BEFORE UPDATE ON attempt
WHEN OLD.finished_at IS NOT NULL OR NEW.external_order_id <> OLD.external_order_id OR NEW.n <> OLD.n
  OR NEW.run_id <> OLD.run_id OR NEW.started_at <> OLD.started_at
  OR NEW.request_sha256 <> OLD.request_sha256 OR NEW.verification_sha256 <> OLD.verification_sha256
BEGIN SELECT RAISE(ABORT, 'the outcome of an attempt is written once'); END;

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
