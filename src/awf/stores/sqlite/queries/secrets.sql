SELECT data FROM secrets WHERE ordinal = (SELECT ordinal FROM executions WHERE id = ?)
