-- Which accounts a sweep saw, so that one can tell when something was last confirmed.

-- Whether it saw every account that was known when it ended.
ALTER TABLE sweeps ADD COLUMN saw_all INTEGER NOT NULL DEFAULT 0 CHECK (saw_all IN (0, 1));
-- Otherwise those that it saw, as a list of ids. Earlier versions did not note them.
ALTER TABLE sweeps ADD COLUMN seen INTEGER REFERENCES documents (id);
-- The configuration that it ran with, by its SHA-256; NULL where that was not noted.
ALTER TABLE sweeps ADD COLUMN configuration BLOB
    CHECK (configuration IS NULL OR length(configuration) = 32);

CREATE INDEX sweeps_seen ON sweeps (seen);

UPDATE sweeps SET saw_all = 1
WHERE state = 'finished' AND json_array_length(scope, '$.accounts') = 0
    AND json_extract(discovery, '$.state') = 'complete';
