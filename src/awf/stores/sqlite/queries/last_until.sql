SELECT ordinal FROM executions INDEXED BY by_start WHERE started_at <= ? ORDER BY started_at DESC, ordinal DESC LIMIT 1
