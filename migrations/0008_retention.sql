-- What was dropped by age: at most one row.

CREATE TABLE retention (
    only_row     INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- What was so when this sweep ended, or later, is all there.
    content_from INTEGER NOT NULL REFERENCES sweeps (id),
    -- Drifts up to and with this row were dropped.
    drifts_until INTEGER NOT NULL CHECK (drifts_until >= 0)
) STRICT;

CREATE INDEX retention_content_from ON retention (content_from);
