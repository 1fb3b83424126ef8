SELECT ordinal, first_seq, last_seq
FROM steps
WHERE ordinal = (SELECT ordinal FROM executions WHERE id = :execution) AND step = :step
