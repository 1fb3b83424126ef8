SELECT
    step, name, path, status, attempt, exit_code, started_at, completed_at, error, reused, command, warnings, note, usage,
    first_seq, last_seq
FROM steps
WHERE ordinal = (SELECT ordinal FROM executions WHERE id = :execution) AND step > :after
ORDER BY step
LIMIT :limit
