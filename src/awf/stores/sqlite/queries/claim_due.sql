SELECT ordinal, id, owner, last_seq, running_since IS NULL AS fresh
FROM executions INDEXED BY waking
WHERE parked = 1 AND wake_at IS NOT NULL AND wake_at <= :due
ORDER BY wake_at
LIMIT :limit
