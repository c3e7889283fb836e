-- What was not as it was last known. Committed with the findings that it is about.

CREATE TABLE drifts (
    id          INTEGER NOT NULL PRIMARY KEY,
    -- Its name: 16 hexadecimal digits, the same when a sweep that was stopped finds it again.
    name        TEXT    NOT NULL UNIQUE CHECK (length(name) = 16),
    sweep       INTEGER NOT NULL REFERENCES sweeps (id),
    -- The last sweep that saw it as it was before; NULL where nothing was before.
    last_before INTEGER REFERENCES sweeps (id),
    kind        TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    -- NULL for a notice on several accounts.
    account     TEXT    REFERENCES accounts (id),
    control     TEXT,
    -- Cause, message, both sides and what changed: the same for all accounts with one cause.
    body        INTEGER NOT NULL REFERENCES documents (id)
) STRICT;

CREATE INDEX drifts_sweep ON drifts (sweep);
CREATE INDEX drifts_last_before ON drifts (last_before);
CREATE INDEX drifts_account ON drifts (account, control);
CREATE INDEX drifts_body ON drifts (body);
