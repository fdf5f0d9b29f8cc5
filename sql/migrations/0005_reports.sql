-- What each finished run reported, so that it can be rendered again; and the fate of a mail for each of its recipients.

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
CREATE TRIGGER report_is_kept BEFORE UPDATE ON report BEGIN SELECT RAISE(ABORT, 'a report stays as it was made'); END;

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
INSERT INTO mail_recipient (mail_id, address, state, accepted, updated_at)
SELECT mail.id, one.value, CASE mail.state WHEN 'sent' THEN 'accepted' ELSE 'pending' END, mail.state = 'sent',
    COALESCE(mail.sent_at, mail.created_at)
FROM mail, json_each(mail.recipients) AS one;
CREATE TRIGGER mail_recipient_has_what_it_has BEFORE UPDATE ON mail_recipient
WHEN NEW.mail_id <> OLD.mail_id OR NEW.address <> OLD.address OR NEW.accepted < OLD.accepted OR NEW.refusals < OLD.refusals
BEGIN SELECT RAISE(ABORT, 'what a recipient was given is not taken back'); END;
