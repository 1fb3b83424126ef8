-- Those that have run before come first, then in order of acceptance.
SELECT ordinal, id, owner, last_seq, running_since IS NULL AS fresh
FROM executions INDEXED BY claimable
WHERE status IN ('pending', 'running') AND parked = 0 AND owner IS NULL
ORDER BY running_since IS NULL, ordinal
LIMIT :limit
