SELECT ordinal, cancel_asked FROM executions WHERE id = ? AND completed_at IS NULL
