-- Alerts: drifts that are told to people. How far telling them is, is no history and stands in no seal.
--
-- No row is rewritten. The new columns are empty in every row that is there, so that what was found before
-- this step counts as dealt with: nobody is told of the past.

CREATE TABLE alerts (
    -- AUTOINCREMENT: a number is never given twice, so that a list goes on where it was.
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- Its name: 16 hexadecimal digits that follow from what its drifts have in common.
    name        TEXT    NOT NULL UNIQUE CHECK (length(name) = 16),
    sweep       INTEGER NOT NULL REFERENCES sweeps (id),
    opened_at   INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    -- The drift that stands for all, by name: it may be pruned before the alert is.
    drift       TEXT    NOT NULL CHECK (length(drift) = 16),
    title       TEXT    NOT NULL,
    -- What has to be well again before it ends; NULL where telling it once is all.
    lasts_while TEXT    CHECK (lasts_while IS NULL OR lasts_while IN ('broken', 'unseen')),
    -- NULL as long as it lasts.
    ended_at    INTEGER,
    -- How often people were reminded, and when they are next; NULL where they are not.
    reminders   INTEGER NOT NULL DEFAULT 0 CHECK (reminders >= 0),
    remind_at   INTEGER
) STRICT;

CREATE INDEX alerts_sweep ON alerts (sweep);
CREATE INDEX alerts_lasting ON alerts (id) WHERE ended_at IS NULL;

-- What was to be told of an alert: that it began, that it lasts, that it is over.
CREATE TABLE alert_notices (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    alert   INTEGER NOT NULL REFERENCES alerts (id),
    form    TEXT    NOT NULL CHECK (form IN ('opened', 'reminder', 'recovered')),
    made_at INTEGER NOT NULL,
    body    TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE INDEX alert_notices_alert ON alert_notices (alert);

-- One row for each notice and channel: what is on its way, what arrived, and what was given up.
CREATE TABLE alert_outbox (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    notice          INTEGER NOT NULL REFERENCES alert_notices (id),
    channel         TEXT    NOT NULL,
    -- The same for every attempt, so that a receiver can tell that it has it already.
    idempotency_key TEXT    NOT NULL UNIQUE,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    queued_at       INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Not before then.
    next_attempt_at INTEGER NOT NULL,
    last_attempt_at INTEGER,
    -- Why the last attempt came to nothing; never with a secret.
    last_error      TEXT,
    delivered_at    INTEGER
) STRICT;

CREATE INDEX alert_outbox_notice ON alert_outbox (notice);
CREATE INDEX alert_outbox_pending ON alert_outbox (next_attempt_at) WHERE state = 'pending';
CREATE INDEX alert_outbox_dead ON alert_outbox (id) WHERE state = 'dead';

-- 'waiting': nobody has looked yet whether to tell it. 'resting': it goes to and fro, and is told when it
-- comes to rest. NULL: it was told, or is not to be told.
ALTER TABLE drifts ADD COLUMN routing TEXT
    CHECK (routing IS NULL OR routing IN ('waiting', 'resting'));
-- The alert that tells it.
ALTER TABLE drifts ADD COLUMN alert INTEGER REFERENCES alerts (id);

CREATE INDEX drifts_routing ON drifts (sweep) WHERE routing IS NOT NULL;
CREATE INDEX drifts_alert ON drifts (alert) WHERE alert IS NOT NULL;
