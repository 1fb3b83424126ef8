SELECT id, last_seq, completed_at IS NOT NULL AS finished
FROM executions
WHERE id IN (SELECT value FROM json_each(?))
