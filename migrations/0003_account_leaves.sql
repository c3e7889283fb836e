-- What a sweep came to know of an account as a whole: one row for as long as nothing of it changes.
-- A store of a million findings takes about ten seconds, because `findings` is written anew.

CREATE TABLE account_leaves (
    id          INTEGER NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (id),
    -- The hash over the account, its evidence and its findings; NULL in what an earlier version wrote.
    leaf        BLOB    CHECK (leaf IS NULL OR length(leaf) = 32),
    -- The account's own evidence; NULL where there was nothing to look at.
    evidence    INTEGER REFERENCES documents (id),
    valid_from  INTEGER NOT NULL REFERENCES sweeps (id),
    valid_until INTEGER REFERENCES sweeps (id),
    CHECK (valid_until IS NULL OR valid_until > valid_from)
) STRICT;

-- An account's evidence stood in each of its findings. Where controls were judged in sweeps of their
-- own, the latest evidence counts for the account.
INSERT INTO account_leaves (account, evidence, valid_from, valid_until)
WITH begun AS (
    SELECT account, valid_from, max(evidence) AS evidence,
        CASE WHEN count(*) = count(valid_until) THEN max(valid_until) END AS valid_until
    FROM findings GROUP BY account, valid_from
), followed AS (
    SELECT *, lead(valid_from) OVER (PARTITION BY account ORDER BY valid_from) AS next FROM begun
)
SELECT account, evidence, valid_from,
    CASE
        WHEN next IS NULL THEN valid_until
        WHEN valid_until IS NULL THEN next
        ELSE min(next, valid_until)
    END
FROM followed;

CREATE UNIQUE INDEX account_leaves_open ON account_leaves (account) WHERE valid_until IS NULL;
CREATE UNIQUE INDEX account_leaves_history ON account_leaves (account, valid_from);
CREATE INDEX account_leaves_evidence ON account_leaves (evidence);
CREATE INDEX account_leaves_valid_from ON account_leaves (valid_from);
CREATE INDEX account_leaves_valid_until ON account_leaves (valid_until)
    WHERE valid_until IS NOT NULL;

-- The same as before, without the evidence.
CREATE TABLE findings_without_evidence (
    id          INTEGER NOT NULL PRIMARY KEY,
    account     TEXT    NOT NULL REFERENCES accounts (id),
    control     TEXT    NOT NULL,
    -- Follows from the reason; kept so that it can be asked for.
    verdict     TEXT    NOT NULL CHECK (verdict IN ('PASS', 'FAIL', 'UNKNOWN', 'NOT_APPLICABLE')),
    reason      TEXT    NOT NULL,
    link        TEXT,
    -- Message, cover, advice, gaps and chain.
    detail      INTEGER NOT NULL REFERENCES documents (id),
    -- What AWS said when the calls behind the gaps failed in the first sweep of the interval, in
    -- the order of the gaps. Outside every comparison.
    gap_samples TEXT    CHECK (gap_samples IS NULL OR json_valid(gap_samples)),
    valid_from  INTEGER NOT NULL REFERENCES sweeps (id),
    valid_until INTEGER REFERENCES sweeps (id),
    CHECK (valid_until IS NULL OR valid_until > valid_from)
) STRICT;

INSERT INTO findings_without_evidence
SELECT id, account, control, verdict, reason, link, detail, gap_samples, valid_from, valid_until
FROM findings;

DROP TABLE findings;
ALTER TABLE findings_without_evidence RENAME TO findings;

CREATE UNIQUE INDEX findings_open ON findings (account, control) WHERE valid_until IS NULL;
CREATE UNIQUE INDEX findings_history ON findings (account, control, valid_from);
CREATE INDEX findings_detail ON findings (detail);
CREATE INDEX findings_valid_from ON findings (valid_from);
-- Without the open rows: they are most of the table, and a query for the open row of one account
-- must not be tempted to walk through all of them.
CREATE INDEX findings_valid_until ON findings (valid_until) WHERE valid_until IS NOT NULL;

-- The accounts that a sweep has committed, a row for each group: what is unchanged costs no row.
CREATE TABLE progress_groups (
    sweep    INTEGER NOT NULL REFERENCES sweeps (id),
    -- How many accounts the sweep had committed with this group.
    seen     INTEGER NOT NULL,
    accounts TEXT    NOT NULL CHECK (json_valid(accounts)),
    PRIMARY KEY (sweep, seen)
) STRICT, WITHOUT ROWID;

INSERT INTO progress_groups (sweep, seen, accounts)
SELECT sweep, count(*), json_group_array(account) FROM sweep_progress GROUP BY sweep;

DROP TABLE sweep_progress;
ALTER TABLE progress_groups RENAME TO sweep_progress;
