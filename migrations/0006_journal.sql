-- What arrives beside sweeps: authors of drifts, acknowledgements, exceptions. Only ever added to.

-- AUTOINCREMENT: a number is never given twice, so that what was sealed cannot be replaced.
CREATE TABLE journal (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    recorded_at INTEGER NOT NULL,
    kind        TEXT    NOT NULL
        CHECK (kind IN ('author', 'acknowledgement', 'exception', 'exception_end')),
    -- The drift's name, or the exception's.
    subject     TEXT    NOT NULL,
    body        TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE INDEX journal_subject ON journal (kind, subject);
