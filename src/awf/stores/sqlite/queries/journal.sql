SELECT seq, at, type, version, body
FROM events
WHERE ordinal = (SELECT ordinal FROM executions WHERE id = :execution) AND seq > :after
ORDER BY seq
LIMIT :limit
