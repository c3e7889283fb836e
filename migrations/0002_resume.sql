-- A sweep that was stopped can be resumed; one that is not is closed as abandoned.

-- A column and not a third word of `state`: its CHECK could only change by making the table anew,
-- and every interval points at it. Set only where the state is 'interrupted'.
ALTER TABLE sweeps ADD COLUMN is_abandoned INTEGER NOT NULL DEFAULT 0
    CHECK (is_abandoned IN (0, 1));

-- The accounts that a sweep has committed, for as long as it may go on: gone when it is sealed.
-- Without a foreign key to accounts, which would double the writes of a table that is soon empty.
CREATE TABLE sweep_progress (
    sweep   INTEGER NOT NULL REFERENCES sweeps (id),
    account TEXT    NOT NULL CHECK (length(account) = 12),
    PRIMARY KEY (sweep, account)
) STRICT, WITHOUT ROWID;
