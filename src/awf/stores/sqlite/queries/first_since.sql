SELECT ordinal FROM executions INDEXED BY by_start WHERE started_at >= ? ORDER BY started_at, ordinal LIMIT 1
