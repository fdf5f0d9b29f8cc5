-- Bills of the channels: the period that a bill states, parts of an archive, what reached the merchant, the channel's fee, rows of fees.

-- The days that a bill says it is for, beside those of its rows.
ALTER TABLE bill ADD COLUMN period_first TEXT;
ALTER TABLE bill ADD COLUMN period_last TEXT CHECK ((period_first IS NULL) = (period_last IS NULL) AND period_first <= period_last);

CREATE TABLE new_bill_row (
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
INSERT INTO new_bill_row (bill_id, part, line, kind, payment_id, refund_id, external_order_id, trade_no, order_id, plate,
    amount_fen, refunded_fen, refund_pending, at, channel)
SELECT bill_id, 1, line, kind, payment_id, refund_id, external_order_id, trade_no, order_id, plate,
    amount_fen, refunded_fen, refund_pending, at, channel FROM bill_row;
DROP TABLE bill_row;
ALTER TABLE new_bill_row RENAME TO bill_row;
CREATE INDEX bill_row_by_time ON bill_row (at);
CREATE INDEX bill_row_by_payment ON bill_row (payment_id);
CREATE INDEX bill_row_by_external_order ON bill_row (external_order_id);
CREATE INDEX bill_row_by_order ON bill_row (lower(order_id)) WHERE order_id IS NOT NULL;
CREATE INDEX bill_row_by_refund ON bill_row (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX bill_row_by_trade ON bill_row (trade_no) WHERE trade_no IS NOT NULL;

CREATE TABLE new_set_aside (
    bill_id     INTEGER NOT NULL REFERENCES bill (id) DEFERRABLE INITIALLY DEFERRED,
    part        INTEGER NOT NULL CHECK (part >= 1),
    line        INTEGER NOT NULL,
    column_name TEXT,
    value       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (bill_id, part, line)
) STRICT, WITHOUT ROWID;
INSERT INTO new_set_aside (bill_id, part, line, column_name, value, reason)
SELECT bill_id, 1, line, column_name, value, reason FROM set_aside;
DROP TABLE set_aside;
ALTER TABLE new_set_aside RENAME TO set_aside;

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
