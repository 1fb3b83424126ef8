SELECT seq, at, type, version, body
FROM events
WHERE ordinal = (SELECT ordinal FROM executions WHERE id = :execution) AND seq > :after
    AND type IN (SELECT value FROM json_each(:types))
ORDER BY seq
LIMIT :limit
