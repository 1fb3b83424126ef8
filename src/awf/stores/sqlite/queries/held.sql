SELECT id, fence
FROM executions INDEXED BY unfinished
WHERE status IN ('pending', 'running') AND owner = ?
