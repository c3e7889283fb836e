-- What accounts are tagged with in AWS Organizations, as canonical JSON by key. NULL where nobody has read
-- it yet; an account whose tags were read and that has none is '{}'. Nothing is written anew.
ALTER TABLE account_states ADD COLUMN tags TEXT CHECK (tags IS NULL OR json_valid(tags));
