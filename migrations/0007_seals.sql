-- One seal for each finished sweep. What was finished by an earlier version has none.

CREATE TABLE seals (
    sweep         INTEGER NOT NULL PRIMARY KEY REFERENCES sweeps (id),
    version       INTEGER NOT NULL,
    -- NULL for the first one.
    previous      BLOB    CHECK (previous IS NULL OR length(previous) = 32),
    -- What is said of the sweep as a whole.
    header        INTEGER NOT NULL REFERENCES documents (id),
    -- The Merkle tree with a leaf for each account: how many, and its root.
    accounts      INTEGER NOT NULL CHECK (accounts >= 0),
    root          BLOB    NOT NULL CHECK (length(root) = 32),
    -- The drifts and journal records since the seal before, up to and with these rows.
    drifts_until  INTEGER NOT NULL,
    drifts        BLOB    NOT NULL CHECK (length(drifts) = 32),
    journal_until INTEGER NOT NULL,
    journal       BLOB    NOT NULL CHECK (length(journal) = 32),
    hash          BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX seals_header ON seals (header);
