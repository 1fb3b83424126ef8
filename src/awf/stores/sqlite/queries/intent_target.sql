SELECT ordinal, cancel_asked, waiting FROM executions WHERE id = ? AND completed_at IS NULL
