-- History as intervals: a row says from which sweep on something was so, and until which sweep it
-- was not so any more. An open row (valid_until IS NULL) is what is known now.
--
-- A CHECK says what holds for NULL: PRAGMA integrity_check of older SQLite takes NULL for a failure.
-- Times are microseconds since 1970-01-01 UTC. Account ids are text, because zeros lead.

-- Canonical JSON, named by its SHA-256 and compressed with zstd: evidence, and what findings of
-- many accounts share. Written once, never changed.
CREATE TABLE documents (
    id   INTEGER NOT NULL PRIMARY KEY,
    hash BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- Of the text, in bytes: how much room reading it takes.
    size INTEGER NOT NULL CHECK (size >= 0),
    body BLOB    NOT NULL
) STRICT;

-- AUTOINCREMENT: the number of a sweep is never given twice, not even after pruning.
CREATE TABLE sweeps (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    state           TEXT    NOT NULL CHECK (state IN ('running', 'finished', 'interrupted')),
    started_at      INTEGER NOT NULL,
    -- NULL while it runs, and for ever if its process died.
    finished_at     INTEGER,
    caller          TEXT    NOT NULL CHECK (length(caller) = 12),
    scanner_version TEXT    NOT NULL,
    scope           TEXT    NOT NULL CHECK (json_valid(scope)),
    -- The organization as it was described; NULL where it could not be.
    organization    INTEGER REFERENCES documents (id),
    discovery       TEXT    CHECK (discovery IS NULL OR json_valid(discovery)),
    verdicts        TEXT    CHECK (verdicts IS NULL OR json_valid(verdicts)),
    api_calls       INTEGER CHECK (api_calls IS NULL OR api_calls >= 0),
    -- What was committed so far, changed or not.
    accounts_seen   INTEGER NOT NULL DEFAULT 0 CHECK (accounts_seen >= 0),
    findings_seen   INTEGER NOT NULL DEFAULT 0 CHECK (findings_seen >= 0),
    CHECK ((state = 'finished') <= (finished_at IS NOT NULL))
) STRICT;

CREATE INDEX sweeps_organization ON sweeps (organization);
CREATE INDEX sweeps_running ON sweeps (id) WHERE state = 'running';

-- Whose history this is: at most one row. The account of the first caller stands for an
-- organization that could not be described yet.
CREATE TABLE owner (
    only_row        INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    caller          TEXT    NOT NULL CHECK (length(caller) = 12),
    organization_id TEXT
) STRICT;

CREATE TABLE accounts (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    first_sweep INTEGER NOT NULL REFERENCES sweeps (id)
) STRICT;

CREATE INDEX accounts_first_sweep ON accounts (first_sweep);

-- What AWS Organizations says of an account, as intervals.
CREATE TABLE account_states (
    id          INTEGER NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (id),
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    -- Ids of the root and of each OU, outermost first; NULL where AWS did not say.
    ou_path     TEXT    CHECK (ou_path IS NULL OR json_valid(ou_path)),
    valid_from  INTEGER NOT NULL REFERENCES sweeps (id),
    valid_until INTEGER REFERENCES sweeps (id),
    CHECK (valid_until IS NULL OR valid_until > valid_from)
) STRICT;

CREATE UNIQUE INDEX account_states_open ON account_states (account) WHERE valid_until IS NULL;
CREATE UNIQUE INDEX account_states_history ON account_states (account, valid_from);
CREATE INDEX account_states_valid_from ON account_states (valid_from);
CREATE INDEX account_states_valid_until ON account_states (valid_until)
    WHERE valid_until IS NOT NULL;

-- The answers, as intervals: one open row for each account and control.
CREATE TABLE findings (
    id          INTEGER NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (id),
    control     TEXT    NOT NULL,
    -- Follows from the reason; kept so that it can be asked for.
    verdict     TEXT    NOT NULL CHECK (verdict IN ('PASS', 'FAIL', 'UNKNOWN', 'NOT_APPLICABLE')),
    reason      TEXT    NOT NULL,
    link        TEXT,
    -- Message, cover, advice, gaps and chain.
    detail      INTEGER NOT NULL REFERENCES documents (id),
    -- The account's own evidence; NULL where there was nothing to look at.
    evidence    INTEGER REFERENCES documents (id),
    -- What AWS said when the calls behind the gaps failed in the first sweep of the interval, in
    -- the order of the gaps. Outside every comparison.
    gap_samples TEXT    CHECK (gap_samples IS NULL OR json_valid(gap_samples)),
    valid_from  INTEGER NOT NULL REFERENCES sweeps (id),
    valid_until INTEGER REFERENCES sweeps (id),
    CHECK (valid_until IS NULL OR valid_until > valid_from)
) STRICT;

CREATE UNIQUE INDEX findings_open ON findings (account, control) WHERE valid_until IS NULL;
CREATE UNIQUE INDEX findings_history ON findings (account, control, valid_from);
CREATE INDEX findings_detail ON findings (detail);
CREATE INDEX findings_evidence ON findings (evidence);
CREATE INDEX findings_valid_from ON findings (valid_from);
-- Without the open rows: they are most of the table, and a query for the open row of one account
-- must not be tempted to walk through all of them.
CREATE INDEX findings_valid_until ON findings (valid_until) WHERE valid_until IS NOT NULL;
