SELECT count(*) FROM executions INDEXED BY claimable WHERE status IN ('pending', 'running') AND parked = 0
