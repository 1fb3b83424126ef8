SELECT ordinal, id, owner, last_seq, running_since IS NULL AS fresh
FROM executions
WHERE id IN (SELECT value FROM json_each(:ids)) AND status IN ('pending', 'running')
