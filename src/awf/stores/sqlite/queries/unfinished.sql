SELECT count(*) FROM executions WHERE status IN ('pending', 'running')
