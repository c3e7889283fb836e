-- The sentence of a drift, which names its account. In the body it made one document for each account where
-- a break concerned thousands. NULL in what an earlier version wrote: there it stands in the body. Nothing is
-- written anew.
ALTER TABLE drifts ADD COLUMN message TEXT;
