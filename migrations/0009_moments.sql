-- Finds the sweep that a time means, however many sweeps there are. A store with a hundred thousand
-- sweeps takes well under a second.

CREATE INDEX sweeps_started_at ON sweeps (started_at);
CREATE INDEX sweeps_finished_at ON sweeps (finished_at) WHERE state = 'finished';
