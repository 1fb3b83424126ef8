SELECT started_at FROM executions ORDER BY ordinal DESC LIMIT 1
