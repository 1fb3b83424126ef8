SELECT
    step, name, path, status, attempt, exit_code, started_at, completed_at, error, reused, command, warnings, note, usage,
    first_seq, last_seq
FROM steps
WHERE ordinal = ? AND step = ?
