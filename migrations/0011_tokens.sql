-- Who may use the API. Access is no part of the history: no seal is over it, and no archive holds it.

CREATE TABLE tokens (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    role         TEXT    NOT NULL CHECK (role IN ('viewer', 'operator')),
    -- The beginning of the token: enough to recognize it by, and nothing to guess it from.
    prefix       TEXT    NOT NULL UNIQUE,
    -- SHA-256 of the token. A slow hash is for what people choose; 256 random bits cannot be guessed.
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    created_at   INTEGER NOT NULL,
    -- The first moment at which it is no longer taken; NULL: never.
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;

-- A name is free again when its token was revoked.
CREATE UNIQUE INDEX tokens_name ON tokens (name) WHERE revoked_at IS NULL;
