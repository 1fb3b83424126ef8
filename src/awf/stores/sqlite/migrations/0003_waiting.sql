-- The steps that wait for a person (a JSON array; NULL: none), and executions that only people can move on: parked ones
-- need no engine before there is an intent for them, or before wake_at.
ALTER TABLE executions ADD COLUMN waiting TEXT;
ALTER TABLE executions ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN wake_at INTEGER;

-- What there is to claim, without the parked ones. The index 'unfinished' stays for engines that do not know of them.
CREATE INDEX claimable ON executions (owner, running_since IS NULL, ordinal)
    WHERE status IN ('pending', 'running') AND parked = 0;
CREATE INDEX waking ON executions (wake_at) WHERE parked = 1 AND wake_at IS NOT NULL;

-- The question that an intent answers: each is answered once.
ALTER TABLE intents ADD COLUMN question INTEGER;
CREATE UNIQUE INDEX answers ON intents (ordinal, question) WHERE question IS NOT NULL;
